"""Compares the outputs in keras_convolution.json with Keras on TensorFlow: torch made them, and AveragePooling1D with padding
"same" was mended there.
    pip install keras==3.15.1 tensorflow-cpu==2.21.0
    python check_convolution.py
"""

import json
import os
import re
import warnings

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras  # noqa: E402
import numpy as np  # noqa: E402

warnings.filterwarnings("ignore")
keras.config.set_floatx("float64")
snake = lambda name: re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def make(described):
    config = {snake(k): v for k, v in described["config"].items() if k != "inputShape"}
    if "layer" in config:
        config["layer"] = make(config["layer"])
    return getattr(keras.layers, described["className"])(**config)


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_convolution.json"), encoding="utf-8") as file:
    cases = json.load(file)["cases"]
read = lambda a: np.array(a["data"], a.get("dtype", "float64")).reshape(a["shape"])
worst, refused = (0.0, ""), []
for case in cases:
    x = read(case["input"])
    x = x if x.dtype == np.int32 else x.astype("float64")
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype.name), *map(make, case["layers"])])
    model.set_weights([read(w) for w in case["weights"]])
    try:
        found = np.asarray(model(x))
    except Exception as error:  # what TensorFlow has no kernel for
        refused.append(f"{case['name']}: {str(error).splitlines()[0][:100]}")
        continue
    expected = read(case["output"])
    if found.shape != expected.shape:
        raise SystemExit(f"{case['name']}: shape {found.shape} in TensorFlow, {expected.shape} in the file")
    worst = max(worst, (np.abs(found - expected).max() / max(1e-3, np.abs(expected).max()), case["name"]))
print(f"{len(cases) - len(refused)} cases, the farthest {worst[0]:.1e}: {worst[1]}")
print(f"{len(refused)} that TensorFlow cannot run:", *refused, sep="\n  ")
