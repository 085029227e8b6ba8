"""Convolutions, pooling and what changes the length of sequences, of Keras 3 -> keras_convolution.json.

`cases`: output, loss (mean squared error) and all gradients of sequential models, in inference. `counts`: summaries.
Everything is float64 and also run in float32, as in keras_layers.py.

One thing is not Keras on torch: AveragePooling1D with padding "same", which counts copies of the edge there where the zeros
are uneven. Everywhere else only real steps count, and so they do here. check_convolution.py compares all outputs with
Keras on TensorFlow.
"""

import itertools
import os
import warnings

os.environ["COLUMNS"] = "120"

from golden import array, keras, keras_model, made_with, normal, np, number, random_weights, stream, torch, write
from keras.src.backend.torch import nn as torch_nn

warnings.filterwarnings("ignore", message=".*does not support masking.*")
TOLERANCE = 4e-6
on_torch = torch_nn.average_pool


def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """Sums of windows by the number of their real steps."""
    if padding != "same":
        return on_torch(inputs, pool_size, strides, padding, data_format)
    size, stride = pool_size[0], (strides or pool_size)[0]
    length = inputs.shape[1]
    steps = -(-length // stride)
    missing = max(0, (steps - 1) * stride + size - length)
    around = (missing // 2, missing - missing // 2)
    mean = lambda x: torch.nn.functional.avg_pool1d(torch.nn.functional.pad(x, around), size, stride)
    x = inputs.permute(0, 2, 1)
    return (mean(x) / mean(torch.ones_like(x))).permute(0, 2, 1)


torch_nn.average_pool = average_pool


def layer(class_name, **config):
    return {"className": class_name, "config": config}


def flags(config):
    words = [f"{key} {str(value).lower()}" for key, value in config.items() if key != "inputShape"]
    return " ".join(words)


def ids(rng, batch, time):
    """Padding at the end, at the beginning of the second, and in the middle of the third."""
    x = rng.randint(1, 7, size=(batch, time)).astype(np.int32)
    x[0, -2:] = 0
    x[1 % batch, 0] = 0
    x[2 % batch, time // 2] = 0
    return x


def distance(a, b, floor=1e-3):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.abs(a - b).max() / max(np.abs(b).max(), floor)


def run(layers, x, y, weights, floatx):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = keras_model(layers)
    model.set_weights([w.astype(np.float32).astype(floatx) for w in weights])
    model.compile(loss="mean_squared_error", optimizer="sgd")
    tensor = torch.tensor(x if x.dtype == np.int32 else x.astype(floatx))
    output = model(tensor, training=False)
    value = model.compute_loss(x=tensor, y=torch.tensor(y.astype(floatx)), y_pred=output, training=False)
    if value.requires_grad:
        value.backward()
    if output.dtype != getattr(torch, floatx) or value.dtype != getattr(torch, floatx):
        raise ValueError(f"golden: expected {floatx}, Keras computed in {output.dtype} and {value.dtype}")
    gradients = [np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy() for v in model.trainable_weights]
    return output.detach().numpy(), value.item(), gradients, [v.name for v in model.weights]


cases = []
worst = (0.0, "")


def case(name, layers, batch=3, time=7, weights=None, x=None):
    global worst
    if any(c["name"] == name for c in cases):
        raise ValueError(f"golden: two cases are called {name!r}")
    rng = stream(name)
    shape = (batch, *[time if n is None else n for n in layers[0]["config"]["inputShape"]])
    if x is None:
        x = ids(rng, batch, time) if layers[0]["className"] == "Embedding" else normal(rng, shape)
    keras.config.set_floatx("float64")
    model = keras_model(layers)
    weights = random_weights(model, rng) if weights is None else weights(model, rng)
    y = normal(rng, tuple(model(torch.tensor(x)).shape))
    output, value, gradients, names = run(layers, x, y, weights, "float64")
    again = run(layers, x, y, weights, "float32")
    floor = max([1e-3, *(0.01 * np.abs(g).max() for g in gradients)])
    far = max([distance(again[0], output), distance(again[1], value),
               *(distance(a, b, floor) for a, b in zip(again[2], gradients))])
    worst = max(worst, (far, name))
    if not far <= TOLERANCE:
        raise ValueError(f"golden: {name}: Keras' float32 is {far:.2g} from its float64; choose a milder case")
    cases.append({
        "name": name,
        "layers": layers,
        "input": array(x, "int32" if x.dtype == np.int32 else "float32"),
        "weights": [array(w, name=n) for w, n in zip(weights, names)],
        "target": array(y, "float32"),
        "output": array(output),
        "lossValue": number(value),
        "gradients": [array(g) for g in gradients],
    })


# ---- alone, behind a dense layer that shows the gradient of the input, and behind a recurrent layer: [B, T, C] and [T, B, C]

LENGTHS = [None, 7]


def around(class_name, config, channels, batch, time, length):
    case(f"{class_name} {flags(config)} channels {channels} batch {batch} time {time}" + (" fixed" if length else ""),
         [layer("Dense", units=channels, inputShape=[time if length else None, 2]), layer(class_name, **config)],
         batch, time)


turn = itertools.cycle(LENGTHS)
for filters, (padding, strides, dilation), kernel in itertools.product(
        (1, 3, 17), [("valid", 1, 1), ("same", 1, 1), ("causal", 1, 1), ("valid", 2, 1), ("same", 2, 1), ("causal", 3, 1),
                     ("same", 3, 1), ("valid", 1, 2), ("same", 1, 2), ("causal", 1, 3)], (1, 2, 3)):
    config = dict(filters=filters, kernelSize=kernel, padding=padding, strides=strides, dilationRate=dilation)
    around("Conv1D", config, channels={1: 5, 3: 3, 17: 1}[filters], batch={1: 1, 3: 3, 17: 3}[filters],
           time=7 if kernel < 3 else 8, length=next(turn))
for groups, filters, channels in [(2, 4, 6), (3, 3, 6), (5, 5, 5), (5, 15, 5), (2, 10, 2)]:
    for padding, strides, dilation in [("valid", 1, 1), ("same", 2, 1), ("causal", 1, 2)]:
        config = dict(filters=filters, kernelSize=3, groups=groups, padding=padding, strides=strides, dilationRate=dilation)
        around("Conv1D", config, channels, 3, 8, next(turn))
for extra in [dict(activation="relu"), dict(activation="softmax"), dict(activation="tanh", useBias=False)]:
    around("Conv1D", dict(filters=5, kernelSize=3, **extra), 3, 3, 7, None)
around("Conv1D", dict(filters=5, kernelSize=[7]), 3, 1, 7, None)
around("Conv1D", dict(filters=3, kernelSize=5, padding="same"), 3, 3, 1, None)
around("Conv1D", dict(filters=3, kernelSize=4, padding="same", strides=5), 3, 3, 11, None)
around("Conv1D", dict(filters=5, kernelSize=3), 17, 1, 200, None)

for multiplier, (padding, strides, dilation) in itertools.product(
        (1, 2, 3), [("valid", 1, 1), ("same", 1, 1), ("valid", 2, 1), ("same", 3, 1), ("same", 1, 2)]):
    config = dict(kernelSize=3, depthMultiplier=multiplier, padding=padding, strides=strides, dilationRate=dilation)
    channels = {1: 5, 2: 1, 3: 3}[multiplier]
    around("DepthwiseConv1D", config, channels, 3, 8, next(turn))
    around("SeparableConv1D", dict(filters=5, **config), channels, 3, 8, next(turn))
around("DepthwiseConv1D", dict(kernelSize=2, useBias=False, activation="tanh"), 17, 1, 7, None)
around("SeparableConv1D", dict(filters=17, kernelSize=1, useBias=False, activation="relu"), 3, 1, 7, None)

for (padding, strides, dilation, extra), kernel in itertools.product(
        [("valid", 1, 1, None), ("valid", 2, 1, None), ("valid", 3, 1, 1), ("valid", 1, 2, None), ("same", 1, 1, None),
         ("same", 2, 1, None), ("same", 2, 1, 1), ("same", 3, 1, None), ("same", 3, 1, 0), ("same", 3, 1, 2),
         ("same", 1, 2, None), ("valid", 5, 1, None), ("same", 5, 1, None)], (1, 2, 3, 4)):
    config = dict(filters=3, kernelSize=kernel, padding=padding, strides=strides, dilationRate=dilation)
    if extra is not None:
        config["outputPadding"] = extra
    around("Conv1DTranspose", config, 5, 3, 4, next(turn))
for filters, channels, batch, time in [(1, 1, 1, 1), (17, 3, 3, 7), (1, 17, 1, 7), (5, 3, 3, 1)]:
    around("Conv1DTranspose", dict(filters=filters, kernelSize=3, strides=2, padding="same"), channels, batch, time, None)
    around("Conv1DTranspose", dict(filters=filters, kernelSize=3, useBias=False, activation="tanh"), channels, batch, time,
           None)

for kind, (size, strides), padding in itertools.product(
        ("MaxPooling1D", "AveragePooling1D"), [(2, None), (2, 1), (3, 2), (3, 1), (1, 2), (5, 3), (2, 3)], ("valid", "same")):
    config = dict(poolSize=size, padding=padding, **({} if strides is None else dict(strides=strides)))
    for channels, time in [(1, 7), (5, 8), (17, 5)]:
        around(kind, config, channels, 3, time, next(turn))
around("AveragePooling1D", dict(poolSize=5, padding="same"), 3, 1, 1, None)
around("MaxPooling1D", dict(poolSize=5, padding="same"), 3, 1, 1, None)
for kind, keepdims in itertools.product(("GlobalMaxPooling1D", "GlobalAveragePooling1D"), (False, True)):
    for channels, time in [(1, 1), (5, 7), (17, 3)]:
        around(kind, dict(keepdims=keepdims), channels, 3, time, None)
for channels, size in itertools.product((1, 5), (1, 2, 3)):
    around("UpSampling1D", dict(size=size), channels, 3, 7, next(turn))
for padding in (1, 0, [2, 0], [0, 3], [1, 2]):
    around("ZeroPadding1D", dict(padding=padding), 3, 3, 7, next(turn))
for cropping in (1, 0, [2, 0], [0, 3], [1, 2]):
    around("Cropping1D", dict(cropping=cropping), 3, 3, 7, next(turn))


# ---- ties: rows of the table are equal, so that the gradient says which of equal numbers has it


def equal_rows(model, rng):
    return [np.tile(normal(rng, (1, 3)), (7, 1)), *random_weights(model, rng)[1:]]


def words(*layers, mask=False, inputs=7):
    return [layer("Embedding", inputDim=inputs, outputDim=3, maskZero=mask, inputShape=[None]), *layers]


TIES = np.array([[1, 2, 3, 4, 5, 6], [3, 1, 4, 2, 6, 5]], np.int32)
for padding, strides in [("valid", 2), ("valid", 1), ("same", 3), ("same", 1)]:
    case(f"MaxPooling1D of equal numbers {padding} {strides}",
         words(layer("MaxPooling1D", poolSize=3, strides=strides, padding=padding)), weights=equal_rows, x=TIES)
case("GlobalMaxPooling1D of equal numbers", words(layer("GlobalMaxPooling1D")), weights=equal_rows, x=TIES)

# ---- under masks: who heeds them, who forgets them

CONV = layer("Conv1D", filters=4, kernelSize=3, padding="same", activation="relu")
for name, after in [
    ("Conv1D", [CONV]),
    ("Conv1D LSTM", [CONV, layer("LSTM", units=3)]),
    ("LSTM Conv1D", [layer("LSTM", units=3, returnSequences=True), CONV]),
    ("SeparableConv1D", [layer("SeparableConv1D", filters=4, kernelSize=3, padding="same")]),
    ("DepthwiseConv1D", [layer("DepthwiseConv1D", kernelSize=3, padding="same")]),
    ("Conv1DTranspose", [layer("Conv1DTranspose", filters=4, kernelSize=3, padding="same")]),
    ("MaxPooling1D", [layer("MaxPooling1D", strides=1, padding="same")]),
    ("AveragePooling1D", [layer("AveragePooling1D", poolSize=2, strides=1, padding="same")]),
    ("UpSampling1D GRU", [layer("UpSampling1D"), layer("GRU", units=3)]),
    ("ZeroPadding1D GRU", [layer("ZeroPadding1D"), layer("GRU", units=3)]),
    ("Cropping1D GRU", [layer("Cropping1D"), layer("GRU", units=3)]),
    ("GlobalMaxPooling1D", [layer("GlobalMaxPooling1D"), layer("Dense", units=2)]),
    ("GlobalAveragePooling1D", [layer("GlobalAveragePooling1D"), layer("Dense", units=2)]),
    ("GlobalAveragePooling1D keepdims", [layer("GlobalAveragePooling1D", keepdims=True), layer("Dense", units=2)]),
    ("LSTM GlobalAveragePooling1D", [layer("LSTM", units=3, returnSequences=True), layer("GlobalAveragePooling1D")]),
]:
    case(f"masked {name}", words(*after, mask=True))

# ---- stacks

for recurrent in ("SimpleRNN", "LSTM", "GRU"):
    first = layer(recurrent, units=5, returnSequences=True, inputShape=[None, 3])
    last = layer(recurrent, units=3)
    for name, between in [
        ("Conv1D", CONV), ("Conv1D strides 2", layer("Conv1D", filters=3, kernelSize=3, strides=2)),
        ("Conv1D groups", layer("Conv1D", filters=10, kernelSize=2, groups=5, padding="causal")),
        ("SeparableConv1D", layer("SeparableConv1D", filters=3, kernelSize=2, depthMultiplier=2, strides=2)),
        ("Conv1DTranspose", layer("Conv1DTranspose", filters=3, kernelSize=3, strides=2, padding="same")),
        ("MaxPooling1D", layer("MaxPooling1D", poolSize=3, strides=2, padding="same")),
        ("AveragePooling1D", layer("AveragePooling1D", poolSize=3, strides=2, padding="same")),
        ("UpSampling1D size 2", layer("UpSampling1D", size=2)), ("ZeroPadding1D", layer("ZeroPadding1D", padding=[2, 1])),
        ("Cropping1D", layer("Cropping1D", cropping=[2, 1])),
    ]:
        case(f"{recurrent} {name} {recurrent}", [first, between, last])
        if recurrent == "LSTM":
            case(f"LSTM {name} Dense", [first, between, layer("Dense", units=2)])
    for name in ("GlobalMaxPooling1D", "GlobalAveragePooling1D"):
        case(f"{recurrent} {name}", [first, layer(name)])
case("Embedding Conv1D MaxPooling1D Conv1D GlobalMaxPooling1D Dense",
     words(layer("Conv1D", filters=5, kernelSize=3, activation="relu"), layer("MaxPooling1D", poolSize=3),
           layer("Conv1D", filters=5, kernelSize=3, activation="relu"), layer("GlobalMaxPooling1D"),
           layer("Dense", units=1, activation="sigmoid")), time=23)
case("Conv1D MaxPooling1D Conv1D GRU Dense",
     [layer("Conv1D", filters=5, kernelSize=3, activation="relu", inputShape=[None, 3]), layer("MaxPooling1D", poolSize=3),
      layer("Conv1D", filters=5, kernelSize=3, activation="relu"), layer("GRU", units=3), layer("Dense", units=1)], time=24)
case("WaveNet's dilations",
     [layer("Conv1D", filters=3, kernelSize=2, padding="causal", dilationRate=1, inputShape=[None, 1]),
      *[layer("Conv1D", filters=3, kernelSize=2, padding="causal", dilationRate=d, activation="tanh") for d in (2, 4, 8)]],
     time=17)
case("strides and back",
     [layer("Conv1D", filters=4, kernelSize=3, strides=2, padding="same", inputShape=[None, 3]),
      layer("Conv1D", filters=5, kernelSize=3, strides=3, padding="same"), layer("UpSampling1D", size=3),
      layer("Conv1DTranspose", filters=2, kernelSize=4, strides=2, padding="same")], time=17)
case("Bidirectional Conv1D Flatten Dense",
     [layer("Bidirectional", layer=layer("LSTM", units=3, returnSequences=True), inputShape=[8, 2]),
      layer("Conv1D", filters=3, kernelSize=3), layer("MaxPooling1D"), layer("Flatten"), layer("Dense", units=2)])
for name, inner in [("Conv1D", CONV), ("Conv1D strides 2", layer("Conv1D", filters=3, kernelSize=2, strides=2)),
                    ("SeparableConv1D", layer("SeparableConv1D", filters=3, kernelSize=3, depthMultiplier=2)),
                    ("Conv1DTranspose", layer("Conv1DTranspose", filters=2, kernelSize=3, strides=2, padding="same")),
                    ("MaxPooling1D", layer("MaxPooling1D", padding="same")), ("Cropping1D", layer("Cropping1D")),
                    ("GlobalAveragePooling1D", layer("GlobalAveragePooling1D"))]:
    case(f"TimeDistributed {name}",
         [layer("Dense", units=3, inputShape=[4, 7, 2]), layer("TimeDistributed", layer=inner)])

# ---- regularizers and constraints stand in keras_regularization.json; here only that each weight takes its own: in counts

counts = []
keras.config.set_floatx("float32")
for name, layers in [
    ("the book's network of convolutions for IMDB",
     [layer("Embedding", inputDim=10000, outputDim=128, inputShape=[500]),
      layer("Conv1D", filters=32, kernelSize=7, activation="relu"), layer("MaxPooling1D", poolSize=5),
      layer("Conv1D", filters=32, kernelSize=7, activation="relu"), layer("GlobalMaxPooling1D"), layer("Dense", units=1)]),
    ("the book's network of convolutions and a GRU for Jena",
     [layer("Conv1D", filters=32, kernelSize=5, activation="relu", inputShape=[None, 14]),
      layer("MaxPooling1D", poolSize=3), layer("Conv1D", filters=32, kernelSize=5, activation="relu"),
      layer("GRU", units=32), layer("Dense", units=1)]),
    ("every one of them",
     [layer("ZeroPadding1D", padding=[3, 1], inputShape=[60, 6]), layer("Conv1D", filters=8, kernelSize=3, strides=2),
      layer("Conv1D", filters=4, kernelSize=3, groups=2, padding="same", useBias=False),
      layer("DepthwiseConv1D", kernelSize=3, depthMultiplier=2), layer("SeparableConv1D", filters=5, kernelSize=3,
                                                                     depthMultiplier=3, dilationRate=2),
      layer("Conv1DTranspose", filters=7, kernelSize=3, strides=2), layer("UpSampling1D", size=3),
      layer("Cropping1D", cropping=[2, 5]), layer("AveragePooling1D", poolSize=2), layer("MaxPooling1D", poolSize=3, strides=2,
                                                                           padding="same"),
      layer("GlobalAveragePooling1D", keepdims=True), layer("GlobalMaxPooling1D")]),
]:
    keras.utils.clear_session()
    model = keras_model(layers, name="sequential")
    lines = []
    model.summary(line_length=88, print_fn=lambda text: lines.extend(text.rstrip("\n").split("\n")))
    counts.append({
        "name": name,
        "layers": layers,
        "weightShapes": [[int(n) for n in v.shape] for v in model.weights],
        "weightPaths": [v.path for v in model.weights],
        "lines": lines,
    })

write("keras_convolution.py", made_with("keras_convolution.py", "float64"), cases=cases, counts=counts)
print(f"Keras' float32 is at most {worst[0]:.1e} from its float64: {worst[1]}")
