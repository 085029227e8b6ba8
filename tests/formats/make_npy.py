"""Arrays as NumPy saves them: npy.json.   python tests/formats/make_npy.py   (numpy 2.4.6)"""

import base64
import io
import json
import pathlib

import numpy as np

text = lambda data: base64.b64encode(data).decode()
cases = []
for dtype in ("f4", "f8", "i4", "i8", "u1", "i2", "u2", "u4", "i1", "b1"):
    for shape in ((), (5,), (2, 3), (3, 1, 4), (0, 2)):
        for order in ("C", "F"):
            if order == "F" and len(shape) < 2:
                continue
            count = int(np.prod(shape))
            values = (np.arange(count) - (2 if dtype[0] in "fi" else 0)) * (0.5 if dtype[0] == "f" else 1)
            array = np.asarray(values.reshape(shape), dtype=dtype, order=order)
            buffer = io.BytesIO()
            np.save(buffer, array)
            flat = [float(x) for x in array.flatten(order="C")]
            name = f"{dtype} {shape}{', fortran' if order == 'F' else ''}"
            cases.append({"name": name, "dtype": dtype, "shape": list(shape), "values": flat, "file": text(buffer.getvalue())})
buffer = io.BytesIO()
np.savez_compressed(buffer, np.arange(3.0), **{"w/b": np.array([[1, 2], [3, 4]], np.int64)})
out = {"numpy": np.__version__, "cases": cases, "npz": text(buffer.getvalue())}
(pathlib.Path(__file__).parent / "npy.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
