"""Outputs, losses and every gradient of Keras 3 layers and small stacks -> keras_layers.json.

Weights, inputs and targets are float32 values; Keras computes with them in float64, so the numbers are good to all
the digits written. Each case is also run in float32: one that strays in Keras itself is refused here, because no port
could be asked to hold it. `float32Losses` is the exception: probabilities at the clip, where the bound 1 - 1e-7 is a
different number in float32, and far logits, computed in float32 only.
The loss is what the trainer reports (compile + compute_loss): masks and sample weights go through Keras' own reduction.
Inference everywhere: dropout does nothing here.
"""

import itertools

from golden import array, f32, keras, keras_model, keras_object, made_with, nested, normal, np, number
from golden import random_weights, stream, torch, write

TOLERANCE = 4e-6

# ---- losses, and which of them a model's last activation allows

MSE = ("MeanSquaredError", {})
MAE = ("MeanAbsoluteError", {})
BCE = ("BinaryCrossentropy", {})
BCE_SMOOTH = ("BinaryCrossentropy", {"labelSmoothing": 0.2})
BCE_LOGITS = ("BinaryCrossentropy", {"fromLogits": True})
BCE_LOGITS_SMOOTH = ("BinaryCrossentropy", {"fromLogits": True, "labelSmoothing": 0.1})
CCE = ("CategoricalCrossentropy", {})
CCE_SMOOTH = ("CategoricalCrossentropy", {"labelSmoothing": 0.1})
CCE_LOGITS = ("CategoricalCrossentropy", {"fromLogits": True})
CCE_LOGITS_SMOOTH = ("CategoricalCrossentropy", {"fromLogits": True, "labelSmoothing": 0.2})
SPARSE = ("SparseCategoricalCrossentropy", {})
SPARSE_LOGITS = ("SparseCategoricalCrossentropy", {"fromLogits": True})

ALL_LOSSES = [MSE, MAE, BCE, BCE_SMOOTH, BCE_LOGITS, BCE_LOGITS_SMOOTH, CCE, CCE_SMOOTH, CCE_LOGITS, CCE_LOGITS_SMOOTH,
              SPARSE, SPARSE_LOGITS]

LOSSES = {
    "free": [MSE, CCE_LOGITS, MAE, BCE_LOGITS, SPARSE_LOGITS, BCE_LOGITS_SMOOTH, CCE_LOGITS_SMOOTH],
    "one": [MSE, BCE_LOGITS, MAE, BCE_LOGITS_SMOOTH],  # a single output: no classes
    "sigmoid": [BCE, MSE, BCE_SMOOTH, MAE],
    "softmax": [CCE, SPARSE, CCE_SMOOTH, BCE, MSE],
}
turns = {kind: itertools.cycle(losses) for kind, losses in LOSSES.items()}
used = {}  # loss -> how often, so that every second use of a loss is weighted


def loss_key(loss):
    return f"{loss[0]} {loss[1]}"


def kind_of(layers, outputs):
    """The head's kind: the last activation, looking through layers that change no value."""
    for layer in reversed(layers):
        if layer["className"] in ("Dropout", "Flatten"):
            continue
        activation = layer["config"].get("activation", "")
        if activation in ("sigmoid", "softmax") and layer["className"] in ("Dense", "Activation"):
            return activation
        break
    return "one" if outputs == 1 else "free"


def make_target(rng, loss, shape):
    """y for an output of `shape`: [B, U] or [B, T, U]."""
    name = loss[0]
    if name in ("MeanSquaredError", "MeanAbsoluteError"):
        return normal(rng, shape), "float32"
    if name == "BinaryCrossentropy":
        return rng.randint(0, 2, size=shape).astype(np.float64), "float32"
    classes = rng.randint(0, shape[-1], size=shape[:-1])
    if name == "CategoricalCrossentropy":
        return np.eye(shape[-1])[classes], "float32"
    return classes.astype(np.int32), "int32"


# ---- one case, run by Keras


def run(layers, x, weights, loss, y, sample_weight, floatx):
    """output, lossValue, gradients of the trainable weights, gradient of x (None for ids)."""
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = keras_model(layers)
    model.set_weights([w.astype(floatx) for w in weights])
    model.compile(loss=keras_object(keras.losses, {"className": loss[0], "config": loss[1]}), optimizer="sgd")
    ids = layers[0]["className"] == "Embedding"
    x = x.astype("int32" if ids else floatx)
    y = y if y.dtype == np.int32 else y.astype(floatx)
    sample_weight = None if sample_weight is None else sample_weight.astype(floatx)

    tensor = torch.tensor(x, requires_grad=not ids)
    output = model(tensor, training=False)
    value = model.compute_loss(x=tensor, y=torch.tensor(y), y_pred=output, training=False,
                               sample_weight=None if sample_weight is None else torch.tensor(sample_weight))
    value.backward()
    if output.dtype != getattr(torch, floatx) or value.dtype != getattr(torch, floatx):
        raise ValueError(f"golden: expected {floatx}, Keras computed in {output.dtype} and {value.dtype}")
    if not np.isclose(model.test_on_batch(x, y, sample_weight=sample_weight), value.item(), rtol=1e-6, atol=1e-9):
        raise ValueError("golden: the trainer reports another loss than compute_loss")
    gradients = [np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy() for v in model.trainable_weights]
    names = [v.name for v in model.weights]
    return (output.detach().numpy(), value.item(), gradients, None if ids else tensor.grad.numpy()), names


def distance(a, b):
    """Largest difference, relative to the largest value of the reference (absolute below 1e-3)."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-3)


cases = []
worst = (0.0, "")


def case(name, layers, batch=3, time=7, x=None, loss=None, weighted=None, target_rank=None):
    """Run one model in both precisions and keep it. A missing loss is the next in turn that suits the head."""
    global worst
    if any(c["name"] == name for c in cases):
        raise ValueError(f"golden: two cases are called {name!r}")
    rng = stream(name)
    first = layers[0]
    shape = (batch, *[time if n is None else n for n in first["config"]["inputShape"]])
    ids = first["className"] == "Embedding"
    if x is None:
        x = rng.randint(0, first["config"]["inputDim"], size=shape) if ids else normal(rng, shape)
    x = np.asarray(x)

    keras.config.set_floatx("float64")
    model = keras_model(layers)
    weights = random_weights(model, rng)
    out_shape = tuple(model(torch.tensor(x.astype("int32" if ids else "float64"))).shape)
    loss = loss or next(turns[kind_of(layers, out_shape[-1])])
    times = used[loss_key(loss)] = used.get(loss_key(loss), 0) + 1
    if weighted is None:
        weighted = times % 2 == 0
    y, y_dtype = make_target(rng, loss, out_shape)
    if target_rank is not None:  # [B] for an output [B, 1], or classes [B, 1]
        y = y.reshape(out_shape[0], *([1] * (target_rank - 1)))
    # one weight a sample; outputs in time take [B, T]: Keras does not spread [B] over time
    sample_weight = f32(rng.uniform(0.25, 2, size=out_shape[:-1])) if weighted else None

    (output, value, gradients, dx), names = run(layers, x, weights, loss, y, sample_weight, "float64")
    single, _ = run(layers, x, weights, loss, y, sample_weight, "float32")
    pairs = [(single[0], output), (single[1], value), *zip(single[2], gradients)]
    if dx is not None:
        pairs.append((single[3], dx))
    far = max(distance(a, b) for a, b in pairs)
    worst = max(worst, (far, name))
    if far > TOLERANCE:
        raise ValueError(f"golden: {name}: Keras' float32 is {far:.2g} from its float64; choose a milder case")

    entry = {
        "name": name,
        "layers": layers,
        "input": array(x, "int32" if ids else "float32"),
        "weights": [array(w, name=n) for w, n in zip(weights, names)],
        "output": array(output),
        "loss": {"className": loss[0], "config": loss[1]},
        "target": array(y, y_dtype),
    }
    if sample_weight is not None:
        entry["sampleWeight"] = nested(sample_weight)
    entry["lossValue"] = number(value)
    entry["gradients"] = [array(g) for g in gradients]
    if dx is not None:
        entry["inputGradient"] = array(dx)
    cases.append(entry)


def layer(class_name, **config):
    return {"className": class_name, "config": config}


def flags(**config):
    """The options that stand in a case's name: "units 5 goBackwards"."""
    words = []
    for key, value in config.items():
        words += [key] if value is True else [f"{key} {str(value).lower()}"]
    return " ".join(words)


CELLS = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"resetAfter": False})]


def cell_name(cell, extra):
    return flags(**{cell: True, **extra})


# ---- recurrent layers: odd sizes, then every flag on and off

#         units batch time inputs flags
SIZES = [(1, 3, 7, 1, {"returnSequences": True}),
         (1, 1, 1, 5, {}),
         (3, 1, 7, 5, {"goBackwards": True}),
         (17, 3, 1, 3, {"returnSequences": True, "useBias": False}),
         (17, 1, 7, 1, {})]

for (cell, extra), (units, batch, time, inputs, options) in itertools.product(CELLS, SIZES):
    config = {"units": units, **extra, **options}
    case(f"{cell} {flags(**config)} batch {batch} time {time} inputs {inputs}",
         [layer(cell, **config, inputShape=[time, inputs])], batch, time)

for (cell, extra), bias, sequences, backwards in itertools.product(CELLS, (True, False), (False, True), (False, True)):
    config = {"units": 5, **extra, "useBias": bias, "returnSequences": sequences, "goBackwards": backwards}
    case(f"{cell} {flags(**config)}", [layer(cell, **config, inputShape=[None, 3])])

for config in [{"unitForgetBias": False}, {"unitForgetBias": True, "returnSequences": True},
               {"dropout": 0.3, "recurrentDropout": 0.2}]:
    case(f"LSTM {flags(**config)}", [layer("LSTM", units=3, **config, inputShape=[7, 3])])

for (cell, extra), config in itertools.product(CELLS[1:], [
        {"activation": "softsign", "recurrentActivation": "hardSigmoid"},
        {"activation": "relu", "recurrentActivation": "sigmoid", "returnSequences": True}]):
    case(f"{cell} {flags(**extra, **config)}", [layer(cell, units=3, **extra, **config, inputShape=[7, 3])])
for activation in ["linear", "relu", "hardTanh"]:
    case(f"SimpleRNN activation {activation}",
         [layer("SimpleRNN", units=3, activation=activation, returnSequences=activation == "relu", inputShape=[7, 3])])

# ---- embedding

case("Embedding", [layer("Embedding", inputDim=5, outputDim=3, inputShape=[7])])
case("Embedding time 1 outputDim 1", [layer("Embedding", inputDim=3, outputDim=1, inputShape=[1])], batch=1)
case("Embedding any length", [layer("Embedding", inputDim=17, outputDim=5, inputShape=[None])], time=3)
case("Embedding maskZero", [layer("Embedding", inputDim=5, outputDim=3, maskZero=True, inputShape=[7])],
     x=[[0, 1, 2, 0, 4, 4, 1], [3, 3, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]])
case("Embedding Flatten Dense", [layer("Embedding", inputDim=5, outputDim=3, inputShape=[7]), layer("Flatten"),
                                 layer("Dense", units=1, activation="sigmoid")])

# ---- dense, activations, dropout, flatten

ACTIVATIONS = ["linear", "relu", "leakyRelu", "relu6", "elu", "celu", "selu", "softplus", "softsign", "squareplus",
               "softShrink", "sparsePlus", "silu", "gelu", "tanh", "tanhShrink", "sigmoid", "sparseSigmoid",
               "exponential", "hardSigmoid", "hardSilu", "hardTanh", "hardShrink", "mish", "logSigmoid", "softmax",
               "logSoftmax", "sparsemax"]
# both sides of every kink of every activation, never on one: ±0.5, ±1, ±3, 6
POINTS = f32([-7.1, 0.3, 1.4, -0.8, 3.3, -2.2, 0.05, 6.7, -0.3, 2.1, 0.7, -3.4, -1.3, -0.04, 4.6]).reshape(3, 5)

for activation in ACTIVATIONS:
    # sparsemax: close values, so that more than one of them stays above zero
    x = POINTS / 8 if activation == "sparsemax" else POINTS
    case(f"Activation {activation}", [layer("Activation", activation=activation, inputShape=[5])], x=f32(x))
case("Activation glu", [layer("Activation", activation="glu", inputShape=[4])], loss=MSE)
case("Activation softmax in time", [layer("Activation", activation="softmax", inputShape=[7, 3])])
case("Activation swish", [layer("Activation", activation="swish", inputShape=[3])], batch=1)

for activation in ACTIVATIONS:
    x = stream("close").normal(size=(3, 3)) / 8 if activation == "sparsemax" else None
    case(f"Dense activation {activation}", [layer("Dense", units=5, activation=activation, inputShape=[3])],
         x=None if x is None else f32(x))
case("Dense useBias false", [layer("Dense", units=3, useBias=False, inputShape=[5])])
case("Dense units 17 in time", [layer("Dense", units=17, inputShape=[7, 1])])
case("Dense units 1 batch 1 inputs 1", [layer("Dense", units=1, inputShape=[1])], batch=1)

case("Dropout", [layer("Dropout", rate=0.4, inputShape=[5])])
case("Dense Dropout Dense", [layer("Dense", units=5, activation="tanh", inputShape=[3]), layer("Dropout", rate=0.5),
                             layer("Dense", units=3, activation="softmax")])
case("Flatten", [layer("Flatten", inputShape=[7, 3])])

# ---- stacks

def embedding(dim=3, **config):
    return layer("Embedding", inputDim=11, outputDim=dim, **config, inputShape=[None])


for batch, time, units in [(3, 7, 5), (1, 1, 3), (1, 7, 17)]:
    case(f"Embedding LSTM Dense sigmoid batch {batch} time {time} units {units}",
         [embedding(), layer("LSTM", units=units), layer("Dense", units=1, activation="sigmoid")], batch, time)
case("Embedding GRU GRU Dense softmax",
     [embedding(5), layer("GRU", units=5, returnSequences=True), layer("GRU", units=3),
      layer("Dense", units=5, activation="softmax")])
case("Embedding GRU GRU Dense softmax resetAfter false",
     [embedding(), layer("GRU", units=3, returnSequences=True, resetAfter=False), layer("GRU", units=5, resetAfter=False),
      layer("Dense", units=3, activation="softmax")])
case("SimpleRNN three times",
     [layer("SimpleRNN", units=5, returnSequences=True, inputShape=[7, 3]),
      layer("SimpleRNN", units=3, returnSequences=True), layer("SimpleRNN", units=1)])
case("SimpleRNN SimpleRNN Dense",
     [embedding(1), layer("SimpleRNN", units=3, returnSequences=True), layer("SimpleRNN", units=3),
      layer("Dense", units=1, activation="sigmoid")])
case("LSTM Flatten Dense",
     [layer("LSTM", units=5, returnSequences=True, inputShape=[7, 3]), layer("Flatten"), layer("Dense", units=3)])
case("LSTM LSTM Dense", [layer("LSTM", units=3, returnSequences=True, inputShape=[None, 5]),
                         layer("LSTM", units=5), layer("Dense", units=1)])
for batch, time in [(3, 7), (1, 1)]:
    case(f"LSTM Dense softmax in time batch {batch} time {time}",
         [layer("LSTM", units=5, returnSequences=True, inputShape=[None, 3]),
          layer("Dense", units=3, activation="softmax")], batch, time)
case("Embedding LSTM Dense softmax in time",
     [embedding(5), layer("LSTM", units=5, returnSequences=True), layer("Dense", units=11, activation="softmax")],
     loss=SPARSE, weighted=True)
case("GRU Dropout Dense logits in time",
     [layer("GRU", units=3, returnSequences=True, inputShape=[7, 3]), layer("Dropout", rate=0.2), layer("Dense", units=5)],
     loss=SPARSE_LOGITS)
case("GRU goBackwards LSTM goBackwards Dense",
     [layer("GRU", units=3, returnSequences=True, goBackwards=True, inputShape=[7, 3]),
      layer("LSTM", units=3, goBackwards=True), layer("Dense", units=3, activation="softmax")])
case("LSTM Activation softmax", [layer("LSTM", units=5, inputShape=[7, 3]), layer("Activation", activation="softmax")])

# ---- masks: 0 is padding

PADDING = {
    "prefix": [[0, 0, 0, 3, 7, 1, 10], [0, 5, 5, 2, 8, 1, 4], [9, 8, 7, 6, 5, 4, 3]],
    "suffix": [[3, 7, 1, 10, 0, 0, 0], [5, 0, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3]],
    "holes": [[3, 0, 1, 10, 0, 0, 2], [0, 5, 0, 4, 0, 6, 0], [0, 0, 0, 0, 0, 0, 0]],
}
LAST = [embedding(maskZero=True)]
SIGMOID = layer("Dense", units=1, activation="sigmoid")
SOFTMAX = layer("Dense", units=3, activation="softmax")

for (cell, extra), padding in itertools.product(CELLS, PADDING):
    case(f"mask {padding} {cell_name(cell, extra)} Dense",
         [*LAST, layer(cell, units=5, **extra), SIGMOID], x=PADDING[padding])
for cell, extra in CELLS:
    case(f"mask holes {cell_name(cell, extra)} Dense in time",
         [*LAST, layer(cell, units=3, **extra, returnSequences=True), SOFTMAX], x=PADDING["holes"])
    case(f"mask holes {cell_name(cell, extra)} goBackwards Dense",
         [*LAST, layer(cell, units=3, **extra, goBackwards=True), SIGMOID], x=PADDING["holes"])
# the outputs come reversed, their mask does not: Keras' way, and so the loss counts other steps than were read
case("mask prefix LSTM goBackwards Dense in time",
     [*LAST, layer("LSTM", units=3, goBackwards=True, returnSequences=True), SIGMOID], x=PADDING["prefix"])
for cell in ["SimpleRNN", "LSTM", "GRU"]:
    case(f"mask holes {cell} zeroOutputForMask Dense in time",
         [*LAST, layer(cell, units=3, zeroOutputForMask=True, returnSequences=True), SIGMOID], x=PADDING["holes"])
case("mask suffix LSTM zeroOutputForMask last output",
     [*LAST, layer("LSTM", units=3, zeroOutputForMask=True)], x=PADDING["suffix"], loss=MSE)
case("mask suffix GRU returnSequences GRU Dense",
     [*LAST, layer("GRU", units=5, returnSequences=True), layer("GRU", units=3), SOFTMAX], x=PADDING["suffix"])
case("mask holes SimpleRNN returnSequences LSTM returnSequences",
     [*LAST, layer("SimpleRNN", units=3, returnSequences=True), layer("LSTM", units=3, returnSequences=True)],
     x=PADDING["holes"], loss=MSE, weighted=True)
# Flatten drops the mask: its loss counts every value
case("mask suffix LSTM returnSequences Flatten Dense",
     [embedding(maskZero=True) | {"config": {**embedding(maskZero=True)["config"], "inputShape": [7]}},
      layer("LSTM", units=3, returnSequences=True), layer("Flatten"), SIGMOID], x=PADDING["suffix"])
case("mask prefix Dropout Activation in time",
     [*LAST, layer("Dropout", rate=0.3), layer("Activation", activation="tanh")], x=PADDING["prefix"], loss=MAE)
# nothing left to average: the loss is 0, not 0/0
case("mask of everything GRU Dense in time",
     [*LAST, layer("GRU", units=3, returnSequences=True), SIGMOID], x=np.zeros((3, 7)), loss=BCE, weighted=False)

# ---- losses: each weighted, and the other shape of target that Keras takes

for loss in ALL_LOSSES:
    probabilities = not loss[1].get("fromLogits")
    classes = "Categorical" in loss[0]
    head = layer("Dense", units=5 if classes else 3)
    if probabilities and loss not in (MSE, MAE):
        head["config"]["activation"] = "softmax" if classes else "sigmoid"
    case(f"loss {loss[0]} {flags(**loss[1])}".strip(), [layer("LSTM", units=3, inputShape=[7, 3]), head],
         loss=loss, weighted=True)
case("loss MeanSquaredError target of rank 1", [layer("Dense", units=1, inputShape=[3])], loss=MSE, target_rank=1)
case("loss BinaryCrossentropy sigmoid, target of rank 1", [layer("Dense", units=1, activation="sigmoid", inputShape=[5])],
     loss=BCE, weighted=True, target_rank=1)
case("loss SparseCategoricalCrossentropy target of rank 2",
     [layer("Dense", units=3, activation="softmax", inputShape=[3])], loss=SPARSE, target_rank=2)

for loss in ALL_LOSSES:
    spec = {"className": loss[0], "config": loss[1]}
    weighted = sum(c["loss"] == spec and "sampleWeight" in c for c in cases)
    if weighted < 2:
        raise ValueError(f"golden: {loss_key(loss)} has {weighted} weighted cases, expected 2 or more")

# ---- losses at the clip, float32 only


def clipped(name, loss, y, p, sample_weight=None):
    keras.config.set_floatx("float32")
    p = np.asarray(p, np.float32)
    is_class = loss[0] == "SparseCategoricalCrossentropy"
    y = np.asarray(y, np.int32 if is_class else np.float32)
    tensor = torch.tensor(p, requires_grad=True)
    weights = None if sample_weight is None else torch.tensor(np.asarray(sample_weight, np.float32))
    value = keras_object(keras.losses, {"className": loss[0], "config": loss[1]})(torch.tensor(y), tensor, weights)
    value.backward()
    entry = {"name": name, "loss": {"className": loss[0], "config": loss[1]}, "yPred": array(p, "float32"),
             "yTrue": array(y, "int32" if is_class else "float32")}
    if sample_weight is not None:
        entry["sampleWeight"] = nested(np.asarray(sample_weight, np.float32))
    return {**entry, "lossValue": number(value.item()), "gradient": array(tensor.grad.numpy())}


# out of bounds on each side with each label, and values safely inside; none on a bound, where backends differ
P = [[0, 1e-9, 0.25, 0.75], [1, 0.99999994, 2e-6, 0.999998], [0, 1, 0.5, 1e-9]]
Y = [[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0]]
ROWS = [[1, 0, 0], [1e-9, 0.75, 0.25], [0, 0, 1], [0.5, 1, 0.5]]  # the last is normalised first
LABELS = [0, 0, 1, 2]
LOGITS = [[-100, 30, 0.5], [100, -30, 88], [0, 17, -17], [3, 2, 1000]]
float32_losses = []
for loss in (BCE, BCE_SMOOTH):
    float32_losses.append(clipped(f"clip {loss[0]} {flags(**loss[1])}".strip(), loss, Y, P))
    float32_losses.append(clipped(f"clip {loss[0]} {flags(**loss[1])} weighted", loss, Y, P, [0.5, 2, 1]))
for loss in (CCE, CCE_SMOOTH, SPARSE):
    labels = LABELS if loss == SPARSE else np.eye(3)[LABELS]
    float32_losses.append(clipped(f"clip {loss[0]} {flags(**loss[1])}".strip(), loss, labels, ROWS))
    float32_losses.append(clipped(f"clip {loss[0]} {flags(**loss[1])} weighted", loss, labels, ROWS, [0.5, 2, 1, 0]))
for loss in (BCE_LOGITS, CCE_LOGITS, SPARSE_LOGITS):
    labels = LABELS if loss == SPARSE_LOGITS else np.eye(3)[LABELS]
    float32_losses.append(clipped(f"far logits {loss[0]}", loss, labels, LOGITS))
for entry in float32_losses:
    entry["name"] = " ".join(entry["name"].split())

header = made_with("keras_layers.py", "float64")
write("keras_layers.py", header, cases=cases, float32Losses=float32_losses)
print(f"Keras' float32 is at most {worst[0]:.1e} from its float64: {worst[1]}")
