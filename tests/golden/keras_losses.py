"""Losses on plain values, with every reduction; and what the trainer makes of masks, weights, metrics and several outputs
-> keras_losses.json.

All in float64 with float32 values. `plain`: keras.losses called on arrays. `training`: one step of SGD on all samples, with its
logs in Keras' order and the weights after it; then evaluate in batches of two.
"""

import itertools

from golden import array, f32, keras, keras_config, made_with, nested, normal, np, number, stream, torch, write
from keras.src.losses import loss as loss_module

keras.config.set_floatx("float64")

# On torch, Keras multiplies sample weights in place by the mask: a loss changes what the weighted metrics after it see, and weights
# (B, 1) are refused. On its other backends it does neither; so here neither.
apply_mask = loss_module.apply_mask


def apply_mask_to_copy(sample_weight, mask, dtype, reduction):
    if sample_weight is not None and mask is not None:
        sample_weight = sample_weight * torch.ones(mask.shape, dtype=sample_weight.dtype) \
            if sample_weight.ndim == mask.ndim else sample_weight.clone()
    return apply_mask(sample_weight, mask, dtype=dtype, reduction=reduction)


loss_module.apply_mask = apply_mask_to_copy

plain = []
REDUCTIONS = {"sumOverBatchSize": "sum_over_batch_size", "mean": "mean", "meanWithSampleWeight": "mean_with_sample_weight",
              "sum": "sum", "none": "none"}
CLASSES = {"kullbackLeiblerDivergence": "KLDivergence"}


def tensors(rng, kind, shape):
    if kind == "numbers":
        return normal(rng, shape), normal(rng, shape)
    if kind == "positive":
        return f32(rng.uniform(0.1, 2, size=shape)), f32(rng.uniform(0.1, 2, size=shape))
    if kind == "signs":
        return rng.randint(0, 2, size=shape) * 2.0 - 1, normal(rng, shape)
    if kind == "binary":
        return rng.randint(0, 2, size=shape) * 1.0, f32(rng.uniform(0.05, 0.95, size=shape))
    p = normal(rng, shape)
    if "Logits" not in kind:
        p = f32(np.exp(p) / np.exp(p).sum(-1, keepdims=True))
    if kind.startswith("binary"):
        return rng.randint(0, 2, size=shape) * 1.0, p
    classes = rng.randint(0, shape[-1], size=shape[:-1])
    return (np.eye(shape[-1])[classes] if kind.startswith("oneHot") else classes.astype(np.int32)), p


def call(loss, config, kind, shape, reduction="sumOverBatchSize", weight_shape=None):
    name = " ".join([loss, *(f"{k}={v}" for k, v in config.items()), str(list(shape)), reduction, str(weight_shape or "")]).strip()
    rng = stream(name)
    y, p = tensors(rng, kind, shape)
    w = None if weight_shape is None else rng.randint(0, 4, size=weight_shape) * 0.5 + 0.25
    made = getattr(keras.losses, CLASSES.get(loss, loss[0].upper() + loss[1:]))(reduction=REDUCTIONS[reduction], **keras_config(config))
    prediction = torch.tensor(p, requires_grad=True)
    value = made(torch.tensor(y), prediction, None if w is None else torch.tensor(w))
    entry = {"name": name, "loss": loss, "config": {"reduction": reduction, **config}, "yTrue": array(y), "yPred": array(p)}
    if w is not None:
        entry["sampleWeight"] = array(w)
    entry["result"] = array(value.detach().numpy())
    if reduction != "none":
        value.backward()
        entry["gradient"] = array(prediction.grad.numpy())
    plain.append(entry)


FOCAL = {"gamma": 1.5, "alpha": 0.4}
for loss, kind, config in [
    ("meanSquaredError", "numbers", {}), ("meanAbsoluteError", "numbers", {}), ("meanAbsolutePercentageError", "numbers", {}),
    ("meanSquaredLogarithmicError", "positive", {}), ("logCosh", "numbers", {}), ("poisson", "positive", {}),
    ("kullbackLeiblerDivergence", "oneHot", {}), ("hinge", "signs", {}), ("squaredHinge", "signs", {}), ("hinge", "binary", {}),
    ("categoricalHinge", "oneHot", {}), ("cosineSimilarity", "numbers", {}), ("huber", "numbers", {"delta": 0.7}),
    ("binaryCrossentropy", "binary", {}), ("binaryCrossentropy", "binaryLogits", {"fromLogits": True, "labelSmoothing": 0.1}),
    ("categoricalCrossentropy", "oneHot", {"labelSmoothing": 0.1}), ("categoricalCrossentropy", "oneHotLogits", {"fromLogits": True}),
    ("sparseCategoricalCrossentropy", "classes", {}), ("sparseCategoricalCrossentropy", "classLogits", {"fromLogits": True}),
    ("binaryFocalCrossentropy", "binary", {}), ("binaryFocalCrossentropy", "binary", {"applyClassBalancing": True, **FOCAL}),
    ("binaryFocalCrossentropy", "binaryLogits", {"fromLogits": True, "labelSmoothing": 0.2}),
    ("categoricalFocalCrossentropy", "oneHot", {}), ("categoricalFocalCrossentropy", "oneHot", {"labelSmoothing": 0.2, **FOCAL}),
    ("categoricalFocalCrossentropy", "oneHotLogits", {"fromLogits": True, "gamma": 3}),
    ("dice", "binary", {}), ("dice", "binary", {"axis": -1}), ("dice", "binary", {"axis": [1, 2]}),
    ("tversky", "binary", {}), ("tversky", "binary", {"alpha": 0.3, "beta": 0.8, "axis": [-1]}),
    ("tversky", "binary", {"alpha": 1.5, "beta": 0.2}),
]:
    deep = config.get("axis") == [1, 2]
    for shape in [(4, 3, 5)] if deep else [(5, 3), (3, 4, 2)]:
        call(loss, config, kind, shape)
        if config.get("axis", -1) is not None and not (loss in ("dice", "tversky") and "axis" not in config):
            call(loss, config, kind, shape, "none", shape[:1] if len(shape) == 2 or deep else shape[:2])

# weights of every shape that Keras takes, under every reduction
for reduction, (shape, weights) in itertools.product(
        REDUCTIONS, [((5, 3), None), ((5, 3), (5,)), ((5, 3), (5, 1)), ((3, 4, 2), None), ((3, 4, 2), (3, 4)), ((3, 4, 2), (3, 1)),
                     ((3, 4, 2), (3, 4, 1)), ((5, 1), (5,))]):
    if reduction == "none" and weights and (weights == (3, 1) or (weights == (5, 1))):
        continue
    call("meanSquaredError", {}, "numbers", shape, reduction, weights)
for reduction, weights in itertools.product(REDUCTIONS, (None, (5,))):
    call("dice", {}, "binary", (5, 3), reduction, weights)

# ---- the trainer

FUNCTIONS = {
    "squared": lambda t, p: keras.ops.multiply(keras.ops.subtract(t, p), keras.ops.subtract(t, p)),
    "farApart": lambda t, p: keras.ops.maximum(keras.ops.subtract(t, p), keras.ops.subtract(p, t) * 2.0),
}
for key, function in FUNCTIONS.items():
    function.__name__ = key
training = []


def resolve(module, spec):
    """A name, {className, config}, {function}, null, or lists and records of such."""
    if isinstance(spec, list):
        return [resolve(module, each) for each in spec]
    if isinstance(spec, dict):
        if "function" in spec:
            return FUNCTIONS[spec["function"]]
        if "className" in spec:
            config = dict(spec["config"])
            if "reduction" in config:
                config["reduction"] = REDUCTIONS[config["reduction"]]
            return getattr(module, spec["className"])(**keras_config(config))
        return {key: resolve(module, each) for key, each in spec.items()}
    return spec


def step(name, heads, length=None, mask=None, samples=5, fit=None, **compiled):
    """heads: [units, activation, kind of target] by name. length: steps, or none. mask: rows of kept steps."""
    rng = stream(name)
    fit = fit or {}
    keras.utils.clear_session()
    shape = [3] if length is None else [length, 3]
    x = normal(rng, [samples, *shape])
    entrance = keras.Input(shape)
    start = entrance
    if mask is not None:
        x = x * np.asarray(mask)[:, :, None]
        start = keras.layers.Masking()(entrance)
    outputs = [keras.layers.Dense(units, activation=activation, name=head)(start) for head, (units, activation, _) in heads.items()]
    model = keras.Model(entrance, outputs if len(outputs) > 1 else outputs[0])
    weights = [normal(rng, tuple(v.shape), 0.5) for v in model.weights]
    model.set_weights(weights)
    y = []
    for units, _, kind in heads.values():
        rows = [samples] if length is None else [samples, length]
        classes = rng.randint(0, max(units, 2), size=rows)
        y.append({"numbers": lambda: normal(rng, [*rows, units]), "classes": lambda: classes.astype(np.int32),
                  "oneHot": lambda: np.eye(units)[classes], "binary": lambda: rng.randint(0, 2, size=[*rows, units]) * 1.0}[kind]())
    given = lambda: y if len(y) > 1 else y[0]
    spec = {"lossWeights": "loss_weights", "metrics": "metrics", "weightedMetrics": "weighted_metrics"}
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss=resolve(keras.losses, compiled["loss"]),
                  **{spec[k]: resolve(keras.metrics, v) for k, v in compiled.items() if k in spec})
    sw = fit.get("sampleWeight")
    if sw is not None:
        one = lambda s: None if s is None else rng.randint(0, 4, size=s) * 0.5 + 0.25
        sw = [one(s) for s in sw] if isinstance(sw, list) else one(sw)
    cw = fit.get("classWeight")
    evaluate = {"batchSize": 2, "logs": model.evaluate(x, given(), sample_weight=sw, batch_size=2, verbose=0, return_dict=True)} \
        if "evaluate" not in fit else None
    history = model.fit(x, given(), sample_weight=sw, class_weight=None if cw is None else {int(k): v for k, v in cw.items()},
                        batch_size=samples, shuffle=False, verbose=0).history
    value = lambda v: [number(each) for each in np.asarray(v).ravel()] if np.ndim(v) else number(v)
    entry = {"name": name, "heads": [{"name": k, "units": u, "activation": a} for k, (u, a, _) in heads.items()],
             "inputShape": shape, "masking": mask is not None, "x": array(x), "y": [array(each) for each in y],
             "weights": [array(w) for w in weights], "compile": compiled}
    if sw is not None:
        entry["sampleWeight"] = [None if s is None else array(s) for s in sw] if isinstance(sw, list) else array(sw)
    if cw is not None:
        entry["classWeight"] = cw
    entry["logs"] = [[k, value(v[0])] for k, v in history.items()]
    entry["weightsAfter"] = [array(w) for w in model.get_weights()]
    if evaluate:
        entry["evaluated"] = [[k, value(v)] for k, v in evaluate["logs"].items()]
    training.append(entry)


MASKS = {"suffix": [[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]],
         "all-masked rows": [[0, 0, 0, 0], [1, 0, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]],
         "nothing left": [[0, 0, 0, 0]] * 5}
LOSS = lambda name, **config: {"className": name, "config": config}
both = lambda *metrics: {"metrics": list(metrics), "weightedMetrics": list(metrics)}
for reduction, weights in itertools.product(("sumOverBatchSize", "meanWithSampleWeight", "sum"), (None, (5,), (5, 1))):
    step(f"[B] {reduction} weights {weights}", {"a": [2, "linear", "numbers"]}, fit={"sampleWeight": weights},
         loss=LOSS("MeanSquaredError", reduction=reduction), **both("mae", "mse"))
for mask, reduction, weights in itertools.product((None, *MASKS), ("sumOverBatchSize", "meanWithSampleWeight", "sum"),
                                                  (None, (5, 1), (5, 4), (5, 4, 1))):
    if mask == "nothing left" and weights not in (None, (5, 4)):
        continue
    step(f"[B, T] {reduction} mask {mask} weights {weights}", {"a": [2, "linear", "numbers"]}, length=4, mask=mask and MASKS[mask],
         fit={"sampleWeight": weights}, loss=LOSS("MeanSquaredError", reduction=reduction), **both("mae", LOSS("CosineSimilarity")))
step("classes and class weights", {"a": [3, "softmax", "classes"]}, fit={"classWeight": {"0": 2, "2": 0.5}},
     loss="sparse_categorical_crossentropy", **both("accuracy", "sparse_categorical_crossentropy"))
step("one-hot and class weights", {"a": [3, "softmax", "oneHot"]}, fit={"classWeight": {"0": 2, "1": 0.25}},
     loss="categorical_crossentropy", **both("accuracy", "categorical_crossentropy", LOSS("F1Score", average="macro")))
step("binary and class weights", {"a": [1, "sigmoid", "binary"]}, fit={"classWeight": {"0": 2, "1": 0.25}},
     loss="binary_crossentropy", **both("acc", "binary_accuracy"))
step("the same metric twice", {"a": [2, "linear", "numbers"]}, fit={"sampleWeight": (5,)}, loss="mse",
     metrics=["mae", "mae"], weightedMetrics=["mse", "mae", "mae"])
step("dice over the batch", {"a": [2, "sigmoid", "binary"]}, fit={"sampleWeight": (5,)}, loss="dice")
step("dice over the batch, summed", {"a": [2, "sigmoid", "binary"]}, fit={"sampleWeight": (5,)}, loss=LOSS("Dice", reduction="sum"))
step("dice under a mask", {"a": [2, "sigmoid", "binary"]}, length=4, mask=MASKS["suffix"], loss="dice")
step("dice under a mask, summed", {"a": [2, "sigmoid", "binary"]}, length=4, mask=MASKS["all-masked rows"],
     fit={"sampleWeight": (5, 4)}, loss=LOSS("Dice", reduction="sum"))
step("tversky of samples", {"a": [3, "sigmoid", "binary"]}, fit={"sampleWeight": (5,)},
     loss=LOSS("Tversky", alpha=0.3, beta=0.9, axis=-1))
step("binary focal", {"a": [3, "sigmoid", "binary"]}, fit={"sampleWeight": (5,)}, loss="binary_focal_crossentropy")
step("categorical focal logits", {"a": [3, "linear", "oneHot"]}, loss=LOSS("CategoricalFocalCrossentropy", fromLogits=True))

for key in FUNCTIONS:
    step(f"function {key}", {"a": [2, "linear", "numbers"]}, loss={"function": key}, metrics=[{"function": key}])
    step(f"function {key} of one column, weighted", {"a": [1, "linear", "numbers"]}, fit={"sampleWeight": (5,)},
         loss={"function": key}, **both({"function": key}))
    step(f"function {key} of steps", {"a": [2, "linear", "numbers"]}, length=4, fit={"sampleWeight": (5, 4, 1)},
         loss={"function": key}, **both({"function": key}))
    step(f"function {key} of steps under a mask", {"a": [1, "linear", "numbers"]}, length=4, mask=MASKS["all-masked rows"],
         fit={"sampleWeight": (5, 4)}, loss={"function": key}, **both({"function": key}))

HEADS = {"a": [3, "softmax", "classes"], "b": [2, "linear", "numbers"]}
SPARSE = "sparse_categorical_crossentropy"
step("two outputs", HEADS, loss=[SPARSE, "mse"], metrics=[["accuracy"], ["mae", "mse"]])
step("two outputs by name", HEADS, loss={"b": "mae", "a": SPARSE}, lossWeights={"a": 0.5, "b": 2.0},
     metrics={"b": ["mae"]}, weightedMetrics={"a": ["accuracy"], "b": ["mae"]}, fit={"sampleWeight": [(5,), (5,)]})
step("two outputs, one set of weights", HEADS, loss=[SPARSE, "mse"], fit={"sampleWeight": (5,)}, weightedMetrics=[[], ["mae"]])
step("two outputs, one weighted", HEADS, loss=[SPARSE, "mse"], fit={"sampleWeight": [None, (5,)]}, weightedMetrics=[["acc"], ["mae"]])
step("two outputs, one without a loss", HEADS, loss=[None, "mse"], metrics=[["sparse_categorical_accuracy"], ["mae"]])
step("two outputs, one loss of a function", {"a": [1, "linear", "numbers"], "b": [2, "linear", "numbers"]},
     loss=[{"function": "farApart"}, "mse"], lossWeights=[0.25, 1.5], metrics=[[{"function": "squared"}], [{"function": "squared"}]])
step("sequences and samples", {"a": [3, "softmax", "classes"], "b": [2, "linear", "numbers"]}, length=4, mask=MASKS["suffix"],
     loss=[SPARSE, "mse"], fit={"sampleWeight": [(5, 4), (5, 4, 1)]}, metrics=[["accuracy"], ["mae"]],
     weightedMetrics=[["accuracy"], ["mae"]])

write("keras_losses.py", made_with("keras_losses.py", "float64"), plain=plain, training=training)
