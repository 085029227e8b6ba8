"""Mean, standard deviation and bounds that each Keras initializer must have -> keras_initializers.json.

Theory, not samples: fans by Keras' compute_fans, the rest by the formulas of each initializer's page. So that the theory
is Keras', samples of Keras' own are drawn and compared here; no random number reaches the file.
  std    of the values that come out (after truncation, where there is one)
  limit  |value - mean| never exceeds it; absent where nothing bounds the values
"""

import math

from golden import keras, made_with, np, number, write
from keras.src.initializers.random_initializers import compute_fans

SHAPES = [[64, 128], [3, 40, 60]]
# the deviation of a unit normal cut at two deviations
CUT = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))

CONFIGS = [
    ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 0.25}),
    ("RandomNormal", {}), ("RandomNormal", {"mean": 0.5, "stddev": 0.2}),
    ("RandomUniform", {}), ("RandomUniform", {"minval": -0.2, "maxval": 0.6}),
    ("TruncatedNormal", {}), ("TruncatedNormal", {"mean": -0.5, "stddev": 0.2}),
    ("GlorotNormal", {}), ("GlorotUniform", {}), ("HeNormal", {}), ("HeUniform", {}), ("LecunNormal", {}),
    ("LecunUniform", {}),
    *[("VarianceScaling", {"scale": scale, "mode": mode, "distribution": distribution})
      for scale, mode in [(1.0, "fanIn"), (2.0, "fanOut"), (0.5, "fanAvg")]
      for distribution in ["truncatedNormal", "untruncatedNormal", "uniform"]],
    ("Orthogonal", {}), ("Orthogonal", {"gain": 1.5}),
    ("Identity", {}), ("Identity", {"gain": 0.5}),
]

NAMED = {  # variance scaling under other names: scale, mode, distribution
    "GlorotNormal": (1.0, "fanAvg", "truncatedNormal"),
    "GlorotUniform": (1.0, "fanAvg", "uniform"),
    "HeNormal": (2.0, "fanIn", "truncatedNormal"),
    "HeUniform": (2.0, "fanIn", "uniform"),
    "LecunNormal": (1.0, "fanIn", "truncatedNormal"),
    "LecunUniform": (1.0, "fanIn", "uniform"),
}
SNAKE = {"fanIn": "fan_in", "fanOut": "fan_out", "fanAvg": "fan_avg", "truncatedNormal": "truncated_normal",
         "untruncatedNormal": "untruncated_normal"}


def theory(name, config, shape):
    """{mean, std, limit?} of the values of `shape`."""
    if name in ("Zeros", "Ones", "Constant"):
        return {"mean": {"Zeros": 0, "Ones": 1}.get(name, config.get("value")), "std": 0, "limit": 0}
    if name == "RandomNormal":
        return {"mean": config.get("mean", 0), "std": config.get("stddev", 0.05)}
    if name == "RandomUniform":
        low, high = config.get("minval", -0.05), config.get("maxval", 0.05)
        return {"mean": (low + high) / 2, "std": (high - low) / math.sqrt(12), "limit": (high - low) / 2}
    if name == "TruncatedNormal":
        stddev = config.get("stddev", 0.05)
        return {"mean": config.get("mean", 0), "std": stddev * CUT, "limit": 2 * stddev}
    if name == "Orthogonal":
        # [rows, columns]: the shorter side's vectors are orthogonal, each of length gain
        rows, columns = math.prod(shape[:-1]), shape[-1]
        gain = config.get("gain", 1)
        return {"mean": 0, "std": gain / math.sqrt(max(rows, columns)), "limit": gain, "rows": rows, "columns": columns}
    if name == "Identity":
        gain, (rows, columns) = config.get("gain", 1), shape
        mean = gain / max(rows, columns)
        return {"mean": mean, "std": math.sqrt(gain * mean - mean * mean), "limit": gain - mean}
    scale, mode, distribution = NAMED.get(name) or (config["scale"], config["mode"], config["distribution"])
    fan_in, fan_out = compute_fans(tuple(shape))
    fans = {"fanIn": fan_in, "fanOut": fan_out}
    std = math.sqrt(scale / {**fans, "fanAvg": (fan_in + fan_out) / 2}[mode])
    limit = {"uniform": math.sqrt(3) * std, "truncatedNormal": 2 * std / CUT}.get(distribution)
    return {"mean": 0, "std": std, **({} if limit is None else {"limit": limit}), **fans}


def check(name, config, shape, expected):
    """Keras' own samples against the theory; several seeds, for the standard error's sake."""
    initializer = getattr(keras.initializers, name)
    kwargs = {key: SNAKE.get(value, value) for key, value in config.items()}
    seeds = [{"seed": s} for s in range(8)] if hasattr(initializer(**kwargs), "seed") else [{}]
    values = np.stack([keras.ops.convert_to_numpy(initializer(**kwargs, **s)(shape)) for s in seeds])
    n, std = values.size, expected["std"]
    if abs(values.mean() - expected["mean"]) > 6 * std / math.sqrt(n) + 1e-6:
        raise ValueError(f"golden: {name} {config} {shape}: mean {values.mean()}, expected {expected['mean']}")
    if abs(values.std() - std) > 6 * std / math.sqrt(n) + 1e-6:
        raise ValueError(f"golden: {name} {config} {shape}: std {values.std()}, expected {std}")
    if "limit" in expected and np.abs(values - expected["mean"]).max() > expected["limit"] * (1 + 1e-5) + 1e-7:
        raise ValueError(f"golden: {name} {config} {shape}: a value lies outside {expected['limit']}")


cases = []
for name, config in CONFIGS:
    for shape in SHAPES:
        if name == "Identity" and len(shape) != 2:
            continue  # Keras refuses
        expected = theory(name, config, shape)
        check(name, config, shape, expected)
        cases.append({"name": name[0].lower() + name[1:], "config": config, "shape": shape, **{k: number(v) for k, v in expected.items()}})

write("keras_initializers.py", made_with("keras_initializers.py", "float32"), cases=cases)
