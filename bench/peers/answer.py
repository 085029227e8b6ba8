"""The side of a Python framework: questions and answers as lines of JSON on stdin and stdout, as ../lines.js asks them.

{"open": {shape, training, arrays: {name: [shape]}, file}}  ->  {"check": numbers that must agree with ours}
{"turn": calls}                                             ->  {"ms": of all of them}
{"version": true}                                           ->  {"version": text}

`make(shape, training, arrays)` returns (run, check): run() is one timed call, check() the numbers.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def read(spec):
    """The arrays of a shape, in order, from one file of 32-bit floats."""
    import numpy as np

    values = np.fromfile(spec["file"], dtype=np.float32)
    arrays, start = {}, 0
    for name, shape in spec["arrays"].items():
        size = int(np.prod(shape))
        arrays[name] = values[start : start + size].reshape(shape)
        start += size
    return arrays


def answer(version, make):
    # What a library prints must not stand among the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    run = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "version" in question:
                reply = {"version": version}
            elif "open" in question:
                spec = question["open"]
                run, check = make(spec["shape"], spec["training"], read(spec))
                reply = {"check": [float(value) for value in check()]}
            else:
                start = time.perf_counter()
                for _ in range(question["turn"]):
                    run()
                reply = {"ms": (time.perf_counter() - start) * 1000}
        except Exception as error:  # the other side shows it beside the shape
            reply = {"error": (str(error) or repr(error)).split("\n")[0]}
        out.write(json.dumps(reply) + "\n")
        out.flush()
