"""What EarlyStopping and ReduceLROnPlateau do on scripted logs -> keras_callbacks.json.

No model is trained: a stand-in with one weight, the number of the epoch, is given to the callback, and epochs end with the
logs of the script until it stops. Each case lists, by epoch, the learning rate after it and what the callback put into the logs.
"""

import contextlib
import io
import warnings

from golden import keras, keras_config, made_with, write

FALLING = [1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71, 0.69, 0.695, 0.7, 0.7, 0.7]
RISING = [0.5, 0.6, 0.55, 0.6, 0.65, 0.6, 0.6, 0.66, 0.6, 0.5, 0.5, 0.5]
FLAT = [0.5] * 8
SLOW = [1.0 - 0.00005 * epoch for epoch in range(12)]

CASES = [
    ("EarlyStopping", {}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 1}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 2, "restoreBestWeights": True, "verbose": 1}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 3, "restoreBestWeights": True}, "val_loss", FALLING),
    ("EarlyStopping", {"monitor": "accuracy", "patience": 2, "verbose": 1}, "accuracy", RISING),
    ("EarlyStopping", {"monitor": "accuracy", "mode": "max", "patience": 3, "restoreBestWeights": True}, "accuracy", RISING),
    ("EarlyStopping", {"monitor": "score", "mode": "min", "patience": 2}, "score", RISING),
    ("EarlyStopping", {"monitor": "loss", "minDelta": 0.1, "patience": 2}, "loss", FALLING),
    ("EarlyStopping", {"monitor": "loss", "minDelta": -0.1, "patience": 3}, "loss", FALLING),
    ("EarlyStopping", {"monitor": "loss", "patience": 3}, "loss", SLOW),
    ("EarlyStopping", {"monitor": "loss", "patience": 2}, "loss", [1.0 - 1e-9 * epoch for epoch in range(8)]),
    ("EarlyStopping", {"patience": 2, "baseline": 0.65, "restoreBestWeights": True}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 4, "baseline": 0.78}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 1, "baseline": 0.75}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 1, "startFromEpoch": 4, "restoreBestWeights": True}, "val_loss", FALLING),
    ("EarlyStopping", {"startFromEpoch": 3}, "val_loss", FLAT),
    ("EarlyStopping", {"patience": 100, "restoreBestWeights": True}, "val_loss", FALLING),
    ("EarlyStopping", {"patience": 1}, "loss", FALLING),
    ("ReduceLROnPlateau", {"patience": 2}, "val_loss", FALLING),
    ("ReduceLROnPlateau", {"factor": 0.5, "patience": 1, "verbose": 1}, "val_loss", FALLING),
    ("ReduceLROnPlateau", {"factor": 0.5, "patience": 0}, "val_loss", FLAT),
    ("ReduceLROnPlateau", {"factor": 0.5, "patience": 1, "cooldown": 2}, "val_loss", FLAT),
    ("ReduceLROnPlateau", {"factor": 0.5, "patience": 1, "cooldown": 1, "minLr": 0.02}, "val_loss", FLAT),
    ("ReduceLROnPlateau", {"monitor": "loss", "factor": 0.2, "patience": 3}, "loss", SLOW),
    ("ReduceLROnPlateau", {"monitor": "loss", "factor": 0.2, "patience": 3, "minDelta": 0}, "loss", SLOW),
    ("ReduceLROnPlateau", {"monitor": "accuracy", "factor": 0.5, "patience": 2, "minDelta": 0.05}, "accuracy", RISING),
    ("ReduceLROnPlateau", {"patience": 1}, "loss", FLAT),
]


class Model:
    """What the callbacks touch of a model."""

    def __init__(self, metric):
        self.optimizer = keras.optimizers.SGD(0.1)
        self.metrics = []
        if metric == "accuracy":
            metrics = keras.src.trainers.compile_utils.CompileMetrics(["accuracy"], None)
            ones = keras.ops.ones((1, 1))
            metrics.build(ones, ones)
            self.metrics = [metrics]
        self.stop_training = False
        self.weight = None
        self.restored = None

    def get_weights(self):
        return self.weight

    def set_weights(self, weights):
        self.restored = weights


cases = []
for class_name, config, metric, values in CASES:
    callback = getattr(keras.callbacks, class_name)(**keras_config(config))
    model = Model(metric)
    callback.set_model(model)
    printed = io.StringIO()
    rates, ended = [], []
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        callback.on_train_begin()
        for epoch, value in enumerate(values):
            model.weight = epoch
            logs = {metric: value}
            callback.on_epoch_end(epoch, logs)
            ended.append({name: float(f"{v:.9g}") for name, v in logs.items() if name != metric})
            rates.append(float(f"{float(model.optimizer.learning_rate):.9g}"))
            if model.stop_training:
                break
        callback.on_train_end()
    words = [f"{key} {value}" for key, value in config.items()]
    cases.append({
        "name": " ".join([class_name, *words, "on", metric, str(len(cases))]),
        "className": class_name,
        "config": config,
        "metric": metric,
        "values": values,
        "epochs": len(rates),
        "rates": rates,
        "logs": ended,
        "stoppedEpoch": getattr(callback, "stopped_epoch", None),
        "restored": model.restored,
        "printed": printed.getvalue(),
        "warnings": sum("is not available" in " ".join(str(w.message).split()) for w in warned),
    })

write("keras_callbacks.py", made_with("keras_callbacks.py", "float32"), cases=cases)
