"""Penalties and constraints of Keras 3 -> keras_regularization.json.

`cases`: output, total loss, the loss without penalties, and gradients, for each regularizer on each kind of weight (recurrent
layers with the activations of the fused kernels and with others) and for activity regularizers. `training`: losses and weights
after ten `train_on_batch` steps for each constraint on each axis. Float64, as in keras_layers.py; each case is also run in
float32, and one that Keras itself cannot hold is refused.

A case is a chain: each layer is applied to the first output of the one before. Besides Keras' layers, `Model` is a chain as a
layer of its own, and `Again` applies the layer of another place once more.
"""

import itertools
import multiprocessing
import os

from golden import array, keras, keras_config, keras_object, made_with, nested, normal, np, number, random_weights
from golden import stream, torch, write

TOLERANCE = 4e-6
STEPS = 10


def layer(class_name, **config):
    return {"className": class_name, "config": config}


def make(spec, before=()):
    name, config = spec["className"], dict(spec["config"])
    if name == "Again":
        return before[config["layer"]]
    if name == "Model":
        return chain(config["layers"])
    inner = {key: make(config.pop(key)) for key in ("layer", "cell") if isinstance(config.get(key), dict)}
    if "cells" in config:
        inner["cells"] = [make(cell) for cell in config.pop("cells")]
    arguments = keras_config(config)
    made = getattr(keras.layers, name)(**arguments, **inner)
    # Keras 3.15: SimpleRNN takes activity_regularizer and forgets it. LSTM and GRU do what is documented, and so do we.
    if name == "SimpleRNN" and "activity_regularizer" in arguments:
        made.activity_regularizer = keras.regularizers.get(arguments["activity_regularizer"])
    return made


def chain(specs):
    first = specs[0]
    ids = first["className"] == "Embedding"
    start = x = keras.Input(first["config"]["inputShape"], dtype="int32" if ids else keras.config.floatx())
    made = []
    for spec in specs:
        made.append(make(spec, made))
        x = made[-1](x)
        x = x[0] if isinstance(x, (list, tuple)) else x
    return keras.Model(start, x)


def distance(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-3)


def agree(name, pairs):
    far = max(distance(a, b) for a, b in pairs)
    if far > TOLERANCE:
        raise ValueError(f"golden: {name}: Keras' float32 is {far:.2g} from its float64; choose a milder case")
    return far


# ---- losses and gradients

MSE = {"className": "MeanSquaredError", "config": {}}
PADDED = [[3, 0, 1, 10, 0, 0, 2], [0, 5, 0, 4, 0, 6, 0], [9, 8, 7, 6, 5, 4, 3]]


def run(specs, x, weights, y, sample_weight, floatx):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = chain(specs)
    model.set_weights([w.astype(floatx) for w in weights])
    model.compile(loss=keras_object(keras.losses, MSE), optimizer="sgd")
    x = x if x.dtype == np.int32 else x.astype(floatx)
    y = y.astype(floatx)
    sample_weight = None if sample_weight is None else np.asarray(sample_weight, floatx)
    output = model(torch.tensor(x), training=False)
    weighting = None if sample_weight is None else torch.tensor(sample_weight)
    value = model.compute_loss(x=x, y=torch.tensor(y), y_pred=output, sample_weight=weighting, training=False)
    penalty = float(sum(loss.item() for loss in model.losses))
    value.backward()
    if value.dtype != getattr(torch, floatx):
        raise ValueError(f"golden: expected {floatx}, Keras computed in {value.dtype}")
    if not np.isclose(model.test_on_batch(x, y, sample_weight=sample_weight), value.item(), rtol=1e-6, atol=1e-9):
        raise ValueError("golden: the trainer reports another loss than compute_loss")
    trained = {id(v) for v in model.trainable_weights}
    gradients = [None if id(v) not in trained else np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy()
                 for v in model.weights]
    return output.detach().numpy(), value.item(), penalty, gradients, [v.name for v in model.weights]


# What is to be computed, in order: each job has its own stream, so they may run side by side.
cases, training = [], []


def case(*args, **options):
    cases.append((compute_case, args, options))


def train(*args, **options):
    training.append((compute_training, args, options))


def compute(job):
    function, args, options = job
    return function(*args, **options)


def compute_case(name, specs, batch=3, time=7, x=None, sample_weight=None, penalized=True):
    rng = stream(name)
    keras.config.set_floatx("float64")
    keras.utils.clear_session()
    model = chain(specs)
    weights = random_weights(model, rng)
    shape = [batch] + [time if d is None else d for d in specs[0]["config"]["inputShape"]]
    ids = specs[0]["className"] == "Embedding"
    if x is None:
        x = rng.randint(0, 11, size=shape) if ids else normal(rng, shape)
    x = np.asarray(x, np.int32) if ids else x
    y = normal(rng, tuple(model(torch.tensor(x)).shape))
    output, value, penalty, gradients, names = run(specs, x, weights, y, sample_weight, "float64")
    single = run(specs, x, weights, y, sample_weight, "float32")
    far = agree(name, [(single[0], output), (single[1], value), (single[2], penalty),
                       *((a, b) for a, b in zip(single[3], gradients) if b is not None)])
    if (abs(penalty) > 1e-4) != penalized:
        raise ValueError(f"golden: {name}: a penalty of {penalty}")
    entry = {"name": name, "layers": specs, "input": array(x, "int32" if ids else "float32"),
             "weights": [array(w, name=n) for w, n in zip(weights, names)], "output": array(output),
             "target": array(y, "float32")}
    if sample_weight is not None:
        entry["sampleWeight"] = nested(np.asarray(sample_weight, np.float64))
    entry["lossValue"] = number(value)
    entry["penalty"] = number(penalty)
    entry["gradients"] = [None if g is None else array(g) for g in gradients]
    return entry, (far, name)


def words(spec):
    if isinstance(spec, str):
        return repr(spec)
    return " ".join([spec["className"], *(f"{key} {value}" for key, value in spec["config"].items())])


L1 = layer("L1", l1=0.03)
L2 = layer("L2", l2=0.05)
BOTH = layer("L1L2", l1=0.02, l2=0.04)
ROWS = layer("OrthogonalRegularizer", factor=0.5)
COLUMNS = layer("OrthogonalRegularizer", factor=0.5, mode="columns")
SUMS = [L1, L2, BOTH]
ALL = [*SUMS, ROWS, COLUMNS]
CELLS = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"resetAfter": False})]
# The activations of the fused kernels, and others.
PATHS = [{}, {"activation": "softsign"}]


def embedding(**config):
    return layer("Embedding", inputDim=11, outputDim=3, inputShape=[None], **config)


for regularizer in ALL:
    case(f"Dense kernel {words(regularizer)}", [layer("Dense", units=5, kernelRegularizer=regularizer, inputShape=[3])])
    case(f"Embedding {words(regularizer)}", [embedding(embeddingsRegularizer=regularizer), layer("GRU", units=3)])
for regularizer in SUMS:
    case(f"Dense bias {words(regularizer)}", [layer("Dense", units=5, biasRegularizer=regularizer, inputShape=[3])])
for units, regularizer in itertools.product((2, 17), ALL):
    case(f"Dense units {units} kernel {words(regularizer)}",
         [layer("Dense", units=units, kernelRegularizer=regularizer, inputShape=[9])])
# Each regularizer comes to each weight once: a gradient has only its own weight's in it.
for (cell, extra), path, turn in itertools.product(CELLS, PATHS, range(5)):
    for_bias = ALL if cell == "GRU" and not extra else SUMS
    chosen = {"kernelRegularizer": ALL[turn], "recurrentRegularizer": ALL[(turn + 1) % 5],
              "biasRegularizer": for_bias[(turn + 2) % len(for_bias)]}
    name = " ".join([cell, *(f"{k} {v}".lower() for k, v in {**extra, **path}.items()),
                     *(f"{weight[:-11]} {words(regularizer)}" for weight, regularizer in chosen.items())])
    case(name, [layer(cell, units=3, **extra, **path, **chosen, inputShape=[None, 5])], time=3)

for name in ("l1", "l2", "orthogonal_regularizer"):
    case(f"Dense kernel by name {name}", [layer("Dense", units=4, kernelRegularizer=name, inputShape=[3])])
case("Dense kernel by name l1l2", [layer("Dense", units=4, kernelRegularizer="l1l2", inputShape=[3])], penalized=False)

# ---- activity regularizers

for regularizer, batch in itertools.product(ALL, (3, 17)):
    case(f"Dense activity {words(regularizer)} batch {batch}",
         [layer("Dense", units=5, activation="relu", activityRegularizer=regularizer, inputShape=[3]),
          layer("Dense", units=2)], batch=batch)
for regularizer in SUMS:
    case(f"Dense in time activity {words(regularizer)}",
         [layer("Dense", units=5, activation="tanh", activityRegularizer=regularizer, inputShape=[None, 3])])
    for mask in (False, True):
        case(f"Embedding maskZero {mask} activity {words(regularizer)}",
             [embedding(maskZero=mask, activityRegularizer=regularizer), layer("LSTM", units=3)], x=PADDED)
for (cell, extra), (path, regularizer) in itertools.product(CELLS, zip(PATHS, (L1, BOTH))):
    options = {"units": 3, **extra, **path, "activityRegularizer": regularizer}
    named = " ".join([cell, *(f"{k} {v}".lower() for k, v in {**extra, **path}.items()), words(regularizer)])
    case(f"activity {named}", [layer(cell, **options, inputShape=[None, 2])], time=4)
    case(f"activity in time {named}", [layer(cell, **options, returnSequences=True, inputShape=[None, 2])], time=4)
    case(f"activity masked {named}",
         [embedding(maskZero=True), layer(cell, **options, returnSequences=True), layer("Dense", units=2)], x=PADDED)
for options in ({"returnState": True}, {"returnState": True, "returnSequences": True},
                {"goBackwards": True, "returnSequences": True}, {"zeroOutputForMask": True, "returnSequences": True}):
    for cell in ("LSTM", "GRU"):
        case(f"activity {cell} {' '.join(options)}",
             [embedding(maskZero=True), layer(cell, units=3, activityRegularizer=L2, **options)], x=PADDED)
case("activity last GRU ROWS", [layer("GRU", units=3, activityRegularizer=ROWS, inputShape=[None, 2])])
case("ActivityRegularization between", [layer("LSTM", units=4, returnSequences=True, inputShape=[None, 3]),
                                        layer("ActivityRegularization", l1=0.02, l2=0.05), layer("Dense", units=2)])
case("ActivityRegularization masked", [embedding(maskZero=True), layer("ActivityRegularization", l2=0.1),
                                       layer("GRU", units=3)], x=PADDED)
case("ActivityRegularization of nothing", [layer("Dense", units=3, inputShape=[2]), layer("ActivityRegularization")],
     penalized=False)
case("activity and sample weights", [layer("Dense", units=3, activityRegularizer=BOTH, kernelRegularizer=L2,
                                           inputShape=[2])], sample_weight=[0.5, 0, 2])

# ---- wrappers, cells, models in models, layers that are applied twice or frozen

EVERYWHERE = {"kernelRegularizer": L2, "recurrentRegularizer": L1, "biasRegularizer": BOTH}
for cell, mode in (("LSTM", "concat"), ("GRU", "sum")):
    inner = layer(cell, units=3, returnSequences=True, activityRegularizer=L2, **EVERYWHERE)
    case(f"Bidirectional {cell} {mode}", [layer("Bidirectional", layer=inner, mergeMode=mode, inputShape=[None, 2])])
    case(f"Bidirectional {cell} {mode} masked",
         [embedding(maskZero=True), layer("Bidirectional", layer=inner, mergeMode=mode)], x=PADDED)
DENSE = layer("Dense", units=3, activation="tanh", kernelRegularizer=L1, activityRegularizer=L2)
case("TimeDistributed Dense", [layer("TimeDistributed", layer=DENSE, inputShape=[4, 2])])
INNER = {"className": "Model", "config": {"layers": [
    {**DENSE, "config": {**DENSE["config"], "inputShape": [2]}}, layer("Dense", units=2, biasRegularizer=L2)]}}
case("TimeDistributed Model", [layer("TimeDistributed", layer=INNER, inputShape=[4, 2])])
case("Model", [layer("Dense", units=2, inputShape=[3]), INNER, layer("Dense", units=1, kernelRegularizer=L2)])
case("RNN LSTMCell", [layer("RNN", cell=layer("LSTMCell", units=3, **EVERYWHERE), inputShape=[None, 2])])
case("RNN StackedRNNCells", [layer("RNN", cell=layer("StackedRNNCells", cells=[
    layer("GRUCell", units=3, **EVERYWHERE), layer("SimpleRNNCell", units=2, **EVERYWHERE)]), inputShape=[None, 2])])
SHARED = layer("Dense", units=3, activation="tanh", kernelRegularizer=L1, activityRegularizer=L2, inputShape=[3])
case("applied twice", [SHARED, layer("Again", layer=0), layer("Dense", units=2)])
case("applied twice, model in between", [layer("Dense", units=2, inputShape=[3]), INNER, layer("Again", layer=1)])
FROZEN = {**SHARED["config"], "trainable": False, "inputShape": None}
del FROZEN["inputShape"]
case("frozen: its activity counts, its weights do not", [layer("Dense", units=3, inputShape=[2]), layer("Dense", **FROZEN)])
case("frozen LSTM", [layer("LSTM", units=3, trainable=False, **EVERYWHERE, inputShape=[None, 2]), layer("Dense", units=2)],
     penalized=False)

# ---- constraints: ten steps

def make_batches(rng, specs, outputs, size=3):
    batches = []
    for _ in range(3):
        shape = [size] + [4 if d is None else d for d in specs[0]["config"]["inputShape"]]
        if specs[0]["className"] == "Embedding":
            x = rng.randint(0, 11, size=shape).astype(np.int32)
        else:
            x = normal(rng, shape)
        batches.append((x, normal(rng, (size, outputs))))
    return batches


def train_run(specs, optimizer, weights, batches, floatx, steps=STEPS):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = chain(specs)
    model.set_weights([w.astype(floatx) for w in weights])
    model.compile(loss=keras_object(keras.losses, MSE), optimizer=keras_object(keras.optimizers, optimizer))
    losses = []
    for step in range(steps):
        x, y = batches[step % len(batches)]
        losses.append(float(model.train_on_batch(x if x.dtype == np.int32 else x.astype(floatx), y.astype(floatx))))
    return model.get_weights(), losses, [v.name for v in model.weights]


SGD = {"className": "SGD", "config": {"learningRate": 0.1}}
# Not Adam: it divides small gradients by their own size, and Keras' float32 strays further than the tolerance.
CLIPPED = {"className": "SGD", "config": {"learningRate": 0.1, "momentum": 0.5, "clipnorm": 0.5, "weightDecay": 0.05}}


def compute_training(name, specs, optimizer=SGD, plain=None):
    """`plain`: the same layers without what is tested; it must make a difference."""
    rng = stream(name)
    keras.config.set_floatx("float64")
    keras.utils.clear_session()
    model = chain(specs)
    weights = random_weights(model, rng)
    batches = make_batches(rng, specs, model.output_shape[-1])
    after, losses, names = train_run(specs, optimizer, weights, batches, "float64")
    after32, losses32, _ = train_run(specs, optimizer, weights, batches, "float32")
    far = agree(name, zip([*after32, losses32], [*after, np.array(losses)]))
    if plain is not None and losses[:2] == train_run(plain, optimizer, weights, batches, "float64", 2)[1]:
        raise ValueError(f"golden: {name}: the constraint changes nothing")
    entry = {
        "name": name, "layers": specs, "optimizer": optimizer, "weights": [array(w, name=n) for w, n in zip(weights, names)],
        "batches": [{"input": array(x, "int32" if x.dtype == np.int32 else "float32"), "target": array(y, "float32")}
                    for x, y in batches],
        "weightsAfter": [array(w) for w in after], "losses": [number(v) for v in losses]}
    return entry, (far, name)


def constraints(axis):
    where = {} if axis is None else {"axis": axis}
    norms = [layer("MaxNorm", maxValue=0.7, **where), layer("UnitNorm", **where),
             layer("MinMaxNorm", minValue=0.6, maxValue=0.8, rate=0.4, **where)]
    return norms if axis is not None else [*norms, layer("NonNeg")]


def along(*axes):
    """Each constraint on each of these axes."""
    return [constraint for axis in axes for constraint in constraints(axis)]


MATRIX, VECTOR = along(None, 1, [0, 1]), along(None)
SPELLED, SPELLED_VECTOR = along(None, 1, -1, -2, [0, 1]), along(None, 0, -1)

# As many cases as the longest list has constraints: each comes to its weight once.
KINDS = [("Dense", {"units": 6}, {"kernel": SPELLED, "bias": SPELLED_VECTOR}), ("Embedding", {}, {"embeddings": SPELLED})]
for cell, extra in CELLS:
    flat = cell != "GRU" or "resetAfter" in extra
    KINDS.append((cell, {"units": 3, **extra},
                  {"kernel": MATRIX, "recurrent": MATRIX[3:] + MATRIX[:3], "bias": VECTOR if flat else MATRIX[6:] + MATRIX[:6]}))


def built(class_name, options):
    if class_name == "Embedding":
        return [embedding(**options), layer("SimpleRNN", units=3), layer("Dense", units=2)]
    shape = [5] if class_name == "Dense" else [2, 5]
    return [layer(class_name, **options, inputShape=shape), layer("Dense", units=2)]


for class_name, options, weights in KINDS:
    for turn in range(max(len(chosen) for chosen in weights.values())):
        limits = {f"{weight}Constraint": chosen[turn % len(chosen)] for weight, chosen in weights.items()}
        extra = ["resetAfter false"] if "resetAfter" in options else []
        name = " ".join([class_name, *extra, *(f"{weight[:-10]} {words(limit)}" for weight, limit in limits.items())])
        train(name, built(class_name, {**options, **limits}), plain=built(class_name, options))

for (cell, extra), path in itertools.product(CELLS, PATHS):
    limits = {"kernelConstraint": layer("MaxNorm", maxValue=0.8), "recurrentConstraint": layer("UnitNorm", axis=1),
              "biasConstraint": layer("NonNeg"), "kernelRegularizer": L2, "recurrentRegularizer": ROWS,
              "activityRegularizer": L1}
    name = " ".join([cell, *(f"{k} {v}".lower() for k, v in {**extra, **path}.items())])
    train(f"everything with clipping and decay {name}",
          [layer(cell, units=3, **extra, **path, **limits, inputShape=[2, 5]), layer("Dense", units=2)], CLIPPED)
train("wide kernel, clipped and decayed", [
    layer("Dense", units=19, activation="tanh", kernelConstraint=layer("MaxNorm", maxValue=0.5), inputShape=[70]),
    layer("Dense", units=2, kernelConstraint="unit_norm", biasConstraint="non_neg")], CLIPPED)
train("by name", [layer("Dense", units=4, kernelConstraint="max_norm", biasConstraint="min_max_norm",
                        kernelRegularizer="l2", inputShape=[5]), layer("Dense", units=2, kernelConstraint="UnitNorm")])
train("frozen", [layer("Dense", units=4, kernelConstraint="unit_norm", kernelRegularizer=L2, trainable=False,
                       inputShape=[5]), layer("Dense", units=2, kernelConstraint="unit_norm")])
train("applied twice", [layer("Dense", units=4, activation="tanh", inputShape=[4], kernelRegularizer=L2,
                              activityRegularizer=L1, kernelConstraint=layer("MaxNorm", maxValue=0.7)),
                        layer("Again", layer=0), layer("Dense", units=2)])
train("Bidirectional", [layer("Bidirectional", layer=layer(
    "GRU", units=3, kernelConstraint="unit_norm", biasConstraint=layer("MaxNorm", maxValue=0.4, axis=1),
    recurrentRegularizer=L2), inputShape=[4, 5]), layer("Dense", units=2)])
train("RNN GRUCell", [layer("RNN", cell=layer("GRUCell", units=3, kernelConstraint="unit_norm", recurrentConstraint="non_neg",
                                              biasRegularizer=L2), inputShape=[4, 5]), layer("Dense", units=2)])
train("Model", [layer("Dense", units=2, inputShape=[5]), {"className": "Model", "config": {"layers": [
    layer("Dense", units=3, activation="tanh", kernelConstraint="unit_norm", activityRegularizer=L2, inputShape=[2])]}},
    layer("Dense", units=2)])

with multiprocessing.get_context("fork").Pool(max(4, os.cpu_count())) as pool:
    computed = {"cases": pool.map(compute, cases, 1), "training": pool.map(compute, training, 1)}
far, name = max(distance for entries in computed.values() for _, distance in entries)
write("keras_regularization.py", made_with("keras_regularization.py", "float64", steps=STEPS),
      **{key: [entry for entry, _ in entries] for key, entries in computed.items()})
print(f"Keras' float32 is at most {far:.1e} from its float64: {name}")
