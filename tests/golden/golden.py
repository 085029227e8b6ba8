"""What the generators in this folder share: seeded numbers, Keras models from unreel's option names, and JSON.

Not a generator itself, and nothing here is imported by the tests: they read the JSON files only.
Shapes: B batch, T time, I inputs, U units.
"""

import json
import os
import re
import zlib

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch
from keras.src.backend.common import dtypes

torch.set_num_threads(1)

# Outside TensorFlow, Keras promotes float64 op float64 to float32 (matmul, the mean over a mask), even with
# floatx float64: its references would then be good to 1e-7 only. Float64 is to stay float64 here.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def made_with(script, floatx, **more):
    """The header every golden file carries."""
    return {
        "made_with": {"keras": keras.__version__, "torch": torch.__version__.split("+")[0], "numpy": np.__version__},
        "floatx": floatx,
        "script": "tests/golden/" + script,
        **more,
    }


# ---- seeded numbers: one stream a case, from its name, so that a new case changes no other


def stream(name):
    return np.random.RandomState(zlib.crc32(name.encode()))


def f32(x):
    """Values as float32 holds them, kept in float64: what the reference computes with and what the file says agree."""
    return np.asarray(x, np.float32).astype(np.float64)


def normal(rng, shape, scale=1.0):
    return f32(rng.normal(size=shape) * scale)


# ---- unreel's names to Keras'


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def keras_config(config):
    """camelCase options to Keras' keyword arguments; activation names too."""
    out = {}
    for key, value in config.items():
        if key == "inputShape":
            continue
        if key in ("activation", "recurrentActivation"):
            value = snake(value)
        if key == "layer":
            value = keras_layer(value)
        if isinstance(value, dict) and key.endswith("Regularizer"):
            value = keras_object(keras.regularizers, value)
        if isinstance(value, dict) and key.endswith("Constraint"):
            value = keras_object(keras.constraints, value)
        out[snake(key)] = value
    return out


def keras_layer(layer):
    return getattr(keras.layers, layer["className"])(**keras_config(layer["config"]))


def keras_model(layers, name=None):
    """A Sequential model of `layers` as the files spell them. The first carries inputShape (null = any length)."""
    first = layers[0]
    dtype = "int32" if first["className"] == "Embedding" else keras.config.floatx()
    model = keras.Sequential(name=name)
    model.add(keras.Input(first["config"]["inputShape"], dtype=dtype))
    for layer in layers:
        model.add(keras_layer(layer))
    return model


def keras_object(module, spec):
    """An optimizer or a loss from {className, config}."""
    return getattr(module, spec["className"])(**keras_config(spec["config"]))


def random_weights(model, rng, scale=0.5):
    return [normal(rng, tuple(v.shape), scale) for v in model.weights]


# ---- JSON: flat arrays, 9 significant digits (enough to give a float32 back exactly)


def number(x):
    x = float(x)
    if not np.isfinite(x):
        raise ValueError(f"golden: expected a finite number, got {x}")
    x = float(f"{x:.9g}")
    return int(x) if x == int(x) and abs(x) < 1e9 else x


def array(x, dtype=None, name=None):
    x = np.asarray(x)
    out = {} if name is None else {"name": name}
    out["shape"] = [int(n) for n in x.shape]
    if dtype is not None:
        out["dtype"] = dtype
    out["data"] = [number(v) for v in x.ravel()]
    return out


def nested(x):
    """A small array as nested lists: [B] or [B, T]."""
    x = np.asarray(x)
    return [nested(row) for row in x] if x.ndim > 1 else [number(v) for v in x]


def write(script, header, **lists):
    """One case a line, so that a change of one case is a change of one line."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), script.replace(".py", ".json"))
    dump = lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    parts = [f"{json.dumps(key)}:{dump(value)}" for key, value in header.items()]
    for key, cases in lists.items():
        parts.append(f"{json.dumps(key)}:[\n" + ",\n".join(dump(case) for case in cases) + "\n]")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")
    counts = ", ".join(f"{len(cases)} {key}" for key, cases in lists.items())
    print(f"{os.path.basename(path)}: {counts}, {os.path.getsize(path):,} bytes")
