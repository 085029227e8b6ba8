"""Layer and batch normalization of Keras 3 -> keras_normalization.json.

`cases`: output, loss and all gradients of sequential models, in inference or (`training`) with the statistics of the batch; the
latter are compared through models whose layers are applied with training=True.
`training`: weights, moving averages among them, and losses after ten `train_on_batch` steps, and what the model predicts then; the
functional ones apply one batch normalization in two places, where Keras moves its averages twice a step.
`counts`: the summary's totals. Everything is float64 and also run in float32, as in keras_layers.py.
"""

import os

os.environ["COLUMNS"] = "120"

from golden import array, keras, keras_layer, keras_model, keras_object, made_with, normal, np, number
from golden import stream, torch, write

TOLERANCE = 4e-6
STEPS = 10


def layer(class_name, **config):
    return {"className": class_name, "config": config}


def words(*layers):
    return [layer("Embedding", inputDim=7, outputDim=3, maskZero=True, inputShape=[None]), *layers]


def random_weights(model, rng):
    """As in golden.py, but moving variances are positive."""
    weights = []
    for v in model.weights:
        drawn = normal(rng, tuple(v.shape), 0.5)
        weights.append(np.abs(drawn) + 0.25 if v.name == "moving_variance" else drawn)
    return weights


def single(weights, floatx):
    return [w.astype(np.float32).astype(floatx) for w in weights]


def distance(a, b, floor=1e-3):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.abs(a - b).max() / max(np.abs(b).max(), floor)


worst = (0.0, "")


def refuse_far(name, pairs, gradients=()):
    """A gradient that cancels, as that of a bias before a normalization, is measured as the tests of keras_layers.json do."""
    global worst
    floor = max([1e-3, *(0.01 * np.abs(b).max() for _, b in gradients)])
    far = max([distance(a, b) for a, b in pairs] + [distance(a, b, floor) for a, b in gradients])
    worst = max(worst, (far, name))
    if not far <= TOLERANCE:
        raise ValueError(f"golden: {name}: Keras' float32 is {far:.2g} from its float64; choose a milder case")


def ids(rng, batch, time):
    """Padding at the end, at the beginning of the second, and in the middle of the third."""
    x = rng.randint(1, 7, size=(batch, time)).astype(np.int32)
    x[0, -2:] = 0
    x[1 % batch, 0] = 0
    x[2 % batch, time // 2] = 0
    return x


# ---- outputs and gradients


def run(layers, x, y, weights, training, floatx):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = keras_model(layers)
    model.set_weights(single(weights, floatx))
    model.compile(loss="mean_squared_error", optimizer="sgd")
    tensor = torch.tensor(x if x.dtype == np.int32 else x.astype(floatx))
    output = model(tensor, training=training)
    value = model.compute_loss(x=tensor, y=torch.tensor(y.astype(floatx)), y_pred=output, training=training)
    value.backward()
    if output.dtype != getattr(torch, floatx) or value.dtype != getattr(torch, floatx):
        raise ValueError(f"golden: expected {floatx}, Keras computed in {output.dtype} and {value.dtype}")
    gradients = [np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy() for v in model.trainable_weights]
    trained = {id(v) for v in model.trainable_weights}
    return output.detach().numpy(), value.item(), gradients, [(v.name, id(v) in trained) for v in model.weights]


cases = []


def case(name, layers, batch=3, time=7, training=False):
    rng = stream(name)
    shape = (batch, *[time if n is None else n for n in layers[0]["config"]["inputShape"]])
    x = ids(rng, batch, time) if layers[0]["className"] == "Embedding" else normal(rng, shape)
    keras.config.set_floatx("float64")
    model = keras_model(layers)
    weights = random_weights(model, rng)
    y = normal(rng, tuple(model(torch.tensor(x)).shape))
    output, value, gradients, names = run(layers, x, y, weights, training, "float64")
    again = run(layers, x, y, weights, training, "float32")
    refuse_far(name, [(again[0], output), (again[1], value)], list(zip(again[2], gradients)))
    cases.append({
        "name": name,
        "layers": layers,
        "training": training,
        "input": array(x, "int32" if x.dtype == np.int32 else "float32"),
        "weights": [array(w, name=n) for w, (n, _) in zip(weights, names)],
        "trained": [t for _, t in names],
        "target": array(y, "float32"),
        "output": array(output),
        "lossValue": number(value),
        "gradients": [array(g) for g in gradients],
    })


for units in (2, 3, 5, 17):  # of one number nothing is left but beta, and rounding
    case(f"LayerNormalization [B, {units}]", [layer("LayerNormalization", inputShape=[units])])
    case(f"LayerNormalization [B, T, {units}]", [layer("LayerNormalization", inputShape=[None, units])])
for center in (True, False):
    for scale in (True, False):
        flags = dict(center=center, scale=scale)
        text = f"center {center} scale {scale}"
        inner = [layer("Dense", units=5, inputShape=[4]), layer("LayerNormalization", **flags), layer("Dense", units=2)]
        case(f"Dense LayerNormalization {text}", inner)
        inner = [layer("Dense", units=5, useBias=False, inputShape=[4]), layer("BatchNormalization", **flags),
                 layer("Dense", units=2)]
        for training in (False, True):
            case(f"Dense BatchNormalization {text} training {training}", inner, batch=5, training=training)
case("LayerNormalization epsilon 0.5", [layer("Dense", units=5, inputShape=[4]), layer("LayerNormalization", epsilon=0.5)])
case("LayerNormalization rmsScaling",
     [layer("Dense", units=5, inputShape=[4]), layer("LayerNormalization", rmsScaling=True), layer("Dense", units=2)])
case("LayerNormalization axis 2", [layer("Dense", units=5, inputShape=[None, 4]), layer("LayerNormalization", axis=2)])
case("LayerNormalization axis -1 -2",
     [layer("LSTM", units=3, returnSequences=True, inputShape=[7, 2]), layer("LayerNormalization", axis=[-1, -2]),
      layer("GRU", units=2)])
case("LayerNormalization axis 1 2 rmsScaling",
     [layer("Dense", units=3, inputShape=[5, 2]), layer("LayerNormalization", axis=[1, 2], rmsScaling=True)])
for recurrent in ("SimpleRNN", "LSTM", "GRU"):
    stack = [layer(recurrent, units=5, returnSequences=True, inputShape=[None, 3])]
    for norm in ("LayerNormalization", "BatchNormalization"):
        for training in (False, True)[: 2 if norm == "BatchNormalization" else 1]:
            case(f"{recurrent} {norm} {recurrent} training {training}",
                 [*stack, layer(norm), layer(recurrent, units=2)], training=training)
            case(f"masked {recurrent} {norm} Dense training {training}",
                 words(layer(recurrent, units=5, returnSequences=True), layer(norm), layer("Dense", units=2)),
                 training=training)
case("masked BatchNormalization LSTM training True", words(layer("BatchNormalization"), layer("LSTM", units=3)),
     training=True)
case("masked LayerNormalization LSTM", words(layer("LayerNormalization"), layer("LSTM", units=3)))
case("TimeDistributed LayerNormalization",
     [layer("LSTM", units=5, returnSequences=True, inputShape=[6, 3]),
      layer("TimeDistributed", layer=layer("LayerNormalization"))])
case("TimeDistributed BatchNormalization training False",
     [layer("LSTM", units=5, returnSequences=True, inputShape=[6, 3]),
      layer("TimeDistributed", layer=layer("BatchNormalization"))])
case("BatchNormalization of one sample training True",
     [layer("Dense", units=3, useBias=False, inputShape=[None, 2]), layer("BatchNormalization"), layer("Dense", units=2)],
     batch=1, training=True)
case("BatchNormalization of many rows training True",
     [layer("Dense", units=5, useBias=False, inputShape=[None, 2]), layer("BatchNormalization", epsilon=0.01)],
     batch=13, time=21, training=True)
case("BatchNormalization frozen training True",
     [layer("Dense", units=5, inputShape=[4]), layer("BatchNormalization", trainable=False), layer("Dense", units=2)],
     training=True)


# ---- ten steps


def functional(spec, floatx):
    """Tensors are numbered: the inputs, then what each call gives. A call has its layer, or the number of the call it shares."""
    tensors = [keras.Input(spec["inputShape"], dtype=floatx)]
    made = []
    for call in spec["calls"]:
        made.append(made[call["shares"]] if "shares" in call else keras_layer(call["layer"]))
        inputs = [tensors[i] for i in call["from"]]
        tensors.append(made[-1](inputs[0] if len(inputs) == 1 else inputs))
    return keras.Model(tensors[0], tensors[-1])


def build(spec, floatx):
    return keras_model(spec["layers"]) if "layers" in spec else functional(spec, floatx)


def train(spec, optimizer, weights, batches, probe, floatx):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = build(spec, floatx)
    model.set_weights(single(weights, floatx))
    model.compile(loss="mean_squared_error", optimizer=keras_object(keras.optimizers, optimizer))
    cast = lambda a: a if a.dtype == np.int32 else a.astype(floatx)
    losses = [float(model.train_on_batch(cast(batches[k % 3][0]), cast(batches[k % 3][1]))) for k in range(STEPS)]
    predicted = model.predict(cast(probe), verbose=0)
    evaluated = float(model.test_on_batch(cast(batches[0][0]), cast(batches[0][1])))
    return model.get_weights(), losses, predicted, evaluated, [v.name for v in model.weights]


SGD = layer("SGD", learningRate=0.05)
ADAM = layer("Adam", learningRate=0.01)
SHARED = layer("BatchNormalization", momentum=0.7)
DENSE = layer("Dense", units=4, activation="tanh")

MODELS = [
    ("Dense BatchNormalization Dense", SGD,
     {"layers": [layer("Dense", units=5, inputShape=[4]), layer("BatchNormalization"), layer("Dense", units=2)]}),
    ("Dense BatchNormalization without gamma and beta", SGD,
     {"layers": [layer("Dense", units=5, useBias=False, inputShape=[4]),
                 layer("BatchNormalization", center=False, scale=False, momentum=0.5, epsilon=0.05), layer("Dense", units=2)]}),
    ("GRU BatchNormalization Dense over time", ADAM,
     {"layers": [layer("GRU", units=3, returnSequences=True, inputShape=[None, 2]),
                 layer("BatchNormalization", momentum=0.9), layer("Dense", units=2)]}),
    ("masked GRU BatchNormalization Dense over time", SGD,
     {"layers": words(layer("GRU", units=3, returnSequences=True), layer("BatchNormalization", momentum=0.9),
                      layer("Dense", units=2))}),
    ("masked BatchNormalization LSTM", SGD,
     {"layers": words(layer("BatchNormalization", momentum=0.6, epsilon=0.05), layer("LSTM", units=3))}),
    ("LSTM LayerNormalization Dense over time", ADAM,
     {"layers": [layer("LSTM", units=3, returnSequences=True, inputShape=[None, 2]), layer("LayerNormalization"),
                 layer("Dense", units=2)]}),
    ("frozen BatchNormalization", SGD,
     {"layers": [layer("Dense", units=5, inputShape=[4]), layer("BatchNormalization", trainable=False),
                 layer("Dense", units=2)]}),
    ("one BatchNormalization after the other, shared", SGD,
     {"inputShape": [4], "calls": [
         {"layer": SHARED, "from": [0]}, {"layer": DENSE, "from": [1]}, {"shares": 0, "from": [2]}]}),
    ("one BatchNormalization in two branches", SGD,
     {"inputShape": [4], "calls": [
         {"layer": DENSE, "from": [0]}, {"layer": DENSE, "from": [0]}, {"layer": SHARED, "from": [1]},
         {"shares": 2, "from": [2]}, {"layer": layer("Subtract"), "from": [3, 4]}]}),
    ("one BatchNormalization in branches of different depth", SGD,
     {"inputShape": [4], "calls": [
         {"layer": SHARED, "from": [0]}, {"layer": DENSE, "from": [0]}, {"shares": 0, "from": [2]},
         {"layer": DENSE, "from": [3]}, {"layer": layer("Subtract"), "from": [4, 1]}]}),
]

training = []
for name, optimizer, spec in MODELS:
    rng = stream(name)
    keras.config.set_floatx("float64")
    keras.utils.clear_session()
    model = build(spec, "float64")
    weights = random_weights(model, rng)
    # Rows of different batches have different means, so that the order of moves shows.
    first = spec["layers"][0] if "layers" in spec else None
    shape = [5, *[7 if n is None else n for n in (first["config"] if first else spec)["inputShape"]]]
    draw = (lambda: ids(rng, 5, 7)) if first and first["className"] == "Embedding" else (
        lambda: normal(rng, shape) + np.float64(np.float32(rng.normal())))
    draw32 = lambda: (lambda a: a if a.dtype == np.int32 else a.astype(np.float32).astype(np.float64))(draw())
    inputs = [draw32() for _ in range(3)]
    batches = [(x, normal(rng, tuple(model(torch.tensor(x)).shape))) for x in inputs]
    probe = draw32()
    after, losses, predicted, evaluated, names = train(spec, optimizer, weights, batches, probe, "float64")
    again = train(spec, optimizer, weights, batches, probe, "float32")
    refuse_far(name, [*zip(again[0], after), (again[1], losses), (again[2], predicted), (again[3], evaluated)])
    kind = lambda a: "int32" if a.dtype == np.int32 else "float32"
    training.append({
        "name": name,
        **spec,
        "optimizer": optimizer,
        "weights": [array(w, name=n) for w, n in zip(weights, names)],
        "batches": [{"input": array(x, kind(x)), "target": array(y, "float32")} for x, y in batches],
        "probe": array(probe, kind(probe)),
        "weightsAfter": [array(w) for w in after],
        "losses": [number(v) for v in losses],
        "predicted": array(predicted),
        "evaluated": number(evaluated),
    })

# ---- totals

counts = []
keras.config.set_floatx("float32")
for name, layers in [
    ("LSTM BatchNormalization Dense", [layer("LSTM", units=32, inputShape=[None, 14]), layer("BatchNormalization"),
                                       layer("Dense", units=1)]),
    ("GRU LayerNormalization frozen BatchNormalization",
     [layer("GRU", units=8, inputShape=[None, 3]), layer("LayerNormalization"),
      layer("BatchNormalization", scale=False, trainable=False), layer("Dense", units=1)]),
    ("TimeDistributed BatchNormalization",
     [layer("TimeDistributed", layer=layer("BatchNormalization"), inputShape=[7, 5])]),
]:
    keras.utils.clear_session()
    model = keras_model(layers)
    lines = []
    model.summary(line_length=88, print_fn=lambda text: lines.extend(text.rstrip("\n").split("\n")))
    counts.append({
        "name": name,
        "layers": layers,
        "weightShapes": [[int(n) for n in v.shape] for v in model.weights],
        "totals": [line.strip() for line in lines if "params:" in line],
    })

write("keras_normalization.py", made_with("keras_normalization.py", "float64", steps=STEPS),
      cases=cases, training=training, counts=counts)
print(f"Keras' float32 is at most {worst[0]:.1e} from its float64: {worst[1]}")
