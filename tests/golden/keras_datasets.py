"""Makes keras_datasets.json: digests of what keras.datasets.imdb and reuters give for local files in Keras' format, and small
pickles for the reader. The files themselves are no part of the project:

    pip install keras==3.15.1 numpy==2.4.6
    KERAS_BACKEND=numpy python tests/golden/keras_datasets.py FOLDER     # with imdb.npz and reuters.npz
"""
import base64
import hashlib
import io
import json
import os
import pickle
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "numpy"
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras.src.datasets import imdb, reuters  # noqa: E402

FOLDER = Path(sys.argv[1])
OPTIONS = [
    {},
    {"num_words": 10000},
    {"num_words": 500, "skip_top": 20, "maxlen": 120, "seed": 7},
    {"num_words": 1000, "start_char": None, "oov_char": None, "index_from": 0},
    {"start_char": None, "index_from": 2, "maxlen": 60},
    {"num_words": 300, "oov_char": None, "maxlen": 100},
]


def digest(x, y):
    text = "\n".join(",".join(map(str, row)) for row in x) + "|" + ",".join(str(int(v)) for v in y)
    return {"texts": len(x), "sha256": hashlib.sha256(text.encode()).hexdigest(), "first": [int(v) for v in x[0][:8]]}


def cases(module, name, options):
    module.get_file = lambda *_, **__: str(FOLDER / name)
    out = []
    for each in options:
        (x_train, y_train), (x_test, y_test) = module.load_data(**each)
        out.append({"options": each, "train": digest(x_train, y_train), "test": digest(x_test, y_test)})
    return out


def npy(array):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=True)
    return base64.b64encode(out.getvalue()).decode()


def lists(*rows):
    out = np.empty(len(rows), object)
    out[:] = [list(row) for row in rows]
    return out


class Call:
    def __init__(self, function, *arguments):
        self.called = (function, arguments)

    def __reduce__(self):
        return self.called


def pickled(value, protocol, shape=(1,)):
    """An .npy header of objects, and any pickle behind it."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": shape})
    return base64.b64encode(header.getvalue() + pickle.dumps(value, protocol)).decode()


def python2(text):
    """The same as Python 2 wrote it, as in the published files: protocol 2, texts of bytes, NumPy's old name."""
    data = base64.b64decode(text)
    data = data.replace(b"\x80\x03cnumpy._core.", b"\x80\x02cnumpy.core.").replace(b"C\x01b", b"U\x01b")
    data = data.replace(b"X\x02\x00\x00\x00O8", b"U\x02O8").replace(b"X\x01\x00\x00\x00|", b"U\x01|")
    return base64.b64encode(data).decode()


def hostile(*rows):
    out = np.empty(len(rows), object)
    out[:] = rows
    return out


golden = {
    "made with": f"keras {keras.__version__}, numpy {np.__version__}: tests/golden/keras_datasets.py",
    "imdb": cases(imdb, "imdb.npz", OPTIONS[:1] + OPTIONS[2:4]),
    "reuters": cases(reuters, "reuters.npz", OPTIONS + [{"test_split": 0.5, "num_words": 2000}]),
    "arrays": {
        "lists": npy(lists([1, 2, 300, 70000, -5], [], [2**31 - 1, -(2**31)])),
        **{f"protocol{p}": pickled(lists([1, 2, 300, 70000, -5], []), p, (2,)) for p in (3, 4, 5)},
        "python2": python2(pickled(lists([1, 2, 300, 70000, -5], []), 3, (2,))),
        **{kind: npy(np.array([[1, 0, 2], [3, 4, 5]], kind)) for kind in ("i1", "u1", "i2", "i4", "u4", "i8", "u8", "f4", "f8", "b1")},
    },
    "refused": {
        "system": pickled(hostile(Call(os.system, "true")), 3),
        "eval": pickled(hostile(Call(eval, "1")), 4),
        "getattr": pickled(hostile(Call(getattr, [], "append")), 3),
        "ndarray": pickled(hostile([np.ndarray]), 3),
        "fraction": pickled(lists([1, 0.5]), 3),
        "dictionary": pickled(hostile({"a": 1}), 3),
        "text": pickled(hostile("abc"), 3),
        "none": pickled(hostile([None]), 3),
        "nested": pickled(hostile([[1]]), 3),
        "large": pickled(lists([2**31]), 3),
        "huge": pickled(lists([2**200]), 3),
        "numbers": pickled(np.array([1, 2]), 3),
        "list": pickled([1, 2], 3),
        "set": pickled(hostile({1, 2}), 4),
        "shape": npy(lists([1], [2]).reshape(2, 1)),
        "complex": npy(np.array([1j])),
        "bigEndian": npy(np.array([1], ">i4")),
        "wide": npy(np.array([2**40], "i8")),
    },
}
Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
