"""Weights after ten steps of each optimizer, with and without clipping and decay -> keras_training.json.

`train_on_batch` on three fixed batches in turn, from fixed weights, in float64. Each case is also trained in float32;
one that Keras itself cannot hold is refused. Learning rates are large enough that ten steps move every weight.
"""

from golden import array, keras, keras_model, keras_object, made_with, normal, np, number, random_weights, stream, write

STEPS = 10
TOLERANCE = 4e-6

MODELS = {
    "Embedding LSTM Dense": {
        "layers": [
            {"className": "Embedding", "config": {"inputDim": 11, "outputDim": 3, "inputShape": [7]}},
            {"className": "LSTM", "config": {"units": 4}},
            {"className": "Dense", "config": {"units": 1, "activation": "sigmoid"}},
        ],
        "loss": {"className": "BinaryCrossentropy", "config": {}},
    },
    "GRU Dense": {
        "layers": [
            {"className": "GRU", "config": {"units": 3, "inputShape": [5, 3]}},
            {"className": "Dense", "config": {"units": 2, "activation": "softmax"}},
        ],
        "loss": {"className": "CategoricalCrossentropy", "config": {}},
    },
}

OPTIMIZERS = [
    ("SGD", {"learningRate": 0.1}),
    ("SGD", {"learningRate": 0.1, "momentum": 0.9}),
    ("SGD", {"learningRate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {"learningRate": 0.01}),
    ("RMSprop", {"learningRate": 0.01, "momentum": 0.5}),
    ("RMSprop", {"learningRate": 0.01, "centered": True}),
    ("Adam", {"learningRate": 0.01}),
    ("Adam", {"learningRate": 0.01, "amsgrad": True}),
    ("AdamW", {"learningRate": 0.01}),
    ("Nadam", {"learningRate": 0.01}),
    ("Adamax", {"learningRate": 0.01}),
    ("Adagrad", {"learningRate": 0.05}),
    ("Adagrad", {"learningRate": 0.05, "initialAccumulatorValue": 0.01}),
    ("Adadelta", {"learningRate": 1.0}),
    ("Adadelta", {"learningRate": 1.0, "rho": 0.8}),
    ("Lion", {"learningRate": 0.003}),
]

# limits below the gradients' size, so that they bite
LIMITS = [{"clipnorm": 0.05}, {"clipvalue": 0.02}, {"globalClipnorm": 0.1}, {"weightDecay": 0.1}]
BOTH = {"clipnorm": 0.05, "weightDecay": 0.1}


def make_batches(rng, name, size=3):
    batches = []
    for _ in range(3):
        if name.startswith("Embedding"):
            x = rng.randint(0, 11, size=(size, 7)).astype(np.int32)
            y = rng.randint(0, 2, size=(size, 1)).astype(np.float64)
        else:
            x = normal(rng, (size, 5, 3))
            y = np.eye(2)[rng.randint(0, 2, size=size)]
        batches.append((x, y))
    return batches


def train(model_spec, optimizer, weights, batches, floatx):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = keras_model(model_spec["layers"])
    model.set_weights([w.astype(floatx) for w in weights])
    model.compile(loss=keras_object(keras.losses, model_spec["loss"]),
                  optimizer=keras_object(keras.optimizers, optimizer))
    losses = []
    for step in range(STEPS):
        x, y = batches[step % len(batches)]
        x = x if x.dtype == np.int32 else x.astype(floatx)
        losses.append(float(model.train_on_batch(x, y.astype(floatx))))
    return model.get_weights(), losses, [v.name for v in model.weights]


def distance(a, b):
    return np.abs(np.asarray(a, np.float64) - b).max() / max(np.abs(b).max(), 1e-3)


cases = []
worst = (0.0, "")
for model_name, model_spec in MODELS.items():
    keras.config.set_floatx("float64")
    rng = stream(model_name)
    weights = random_weights(keras_model(model_spec["layers"]), rng)
    batches = make_batches(rng, model_name)
    for class_name, options in OPTIMIZERS:
        plain = None
        both = [BOTH] if len(options) == 1 else []
        for limit in [{}, *LIMITS, *both]:
            optimizer = {"className": class_name, "config": {**options, **limit}}
            words = [k if v is True else f"{k} {v}" for k, v in {**options, **limit}.items() if k != "learningRate"]
            name = " ".join([class_name, *words, "on", model_name])
            after, losses, names = train(model_spec, optimizer, weights, batches, "float64")
            after32, losses32, _ = train(model_spec, optimizer, weights, batches, "float32")
            far = max(distance(a, b) for a, b in zip([*after32, losses32], [*after, np.array(losses)]))
            worst = max(worst, (far, name))
            if far > TOLERANCE:
                raise ValueError(f"golden: {name}: Keras' float32 is {far:.2g} from its float64; choose a milder case")
            plain = losses if plain is None else plain
            if limit and losses == plain:
                raise ValueError(f"golden: {name}: the limit changes nothing")
            cases.append({
                "name": name,
                "layers": model_spec["layers"],
                "loss": model_spec["loss"],
                "optimizer": optimizer,
                "weights": [array(w, name=n) for w, n in zip(weights, names)],
                "batches": [{"input": array(x, "int32" if x.dtype == np.int32 else "float32"),
                             "target": array(y, "float32")} for x, y in batches],
                "weightsAfter": [array(w) for w in after],
                "losses": [number(v) for v in losses],
            })

write("keras_training.py", made_with("keras_training.py", "float64", steps=STEPS), cases=cases)
print(f"Keras' float32 is at most {worst[0]:.1e} from its float64: {worst[1]}")
