"""ONNX files written here, in onnx.checker and onnxruntime: the same numbers within 1e-5.

  node build/tests/formats/writeOnnx.js DIRECTORY && python tests/formats/check_onnx.py DIRECTORY

Last run: see tests/formats/README.md.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

here = pathlib.Path(sys.argv[1])
worst, failed = 0.0, []
cases = json.loads((here / "cases.json").read_text())
array = lambda each: np.array([float(x) if x is not None else np.nan for x in each["data"]], dtype=each["dtype"]).reshape(each["shape"])
for case in cases:
    try:
        proto = onnx.load(here / case["file"])
        onnx.checker.check_model(proto, full_check=True)
        session = onnxruntime.InferenceSession(str(here / case["file"]), providers=["CPUExecutionProvider"])
        names = [each.name for each in session.get_inputs()]
        got = session.run(None, dict(zip(names, map(array, case["inputs"]), strict=True)))
        for k, (mine, theirs) in enumerate(zip(map(array, case["outputs"]), got, strict=True)):
            assert mine.shape == theirs.shape, f"output {k}: {mine.shape} here, {theirs.shape} in onnxruntime"
            off = np.abs(mine - theirs) / np.maximum(1, np.abs(mine))
            off[np.isnan(mine) & np.isnan(theirs)] = 0
            off = float(off.max(initial=0)) if not np.isnan(off).any() else float("inf")
            worst = max(worst, off) if off <= 1e-5 else worst
            assert off <= 1e-5, f"output {k}: {off:.2g} apart"
    except Exception as error:
        failed.append(f"{case['name']}: {str(error).strip()[:300]}")
print("\n".join(failed))
print(f"{len(cases) - len(failed)} of {len(cases)} agree; the largest difference of these {worst:.2g} (onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__})")
sys.exit(bool(failed))
