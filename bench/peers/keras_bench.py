"""Keras, one thread, on the backend that KERAS_BACKEND names (torch, tensorflow), asked by frameworks.js."""

from answer import answer  # first: it sets the number of threads
import keras

backend = keras.backend.backend()
if backend == "torch":
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    backend_version = torch.__version__
elif backend == "tensorflow":
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    backend_version = tensorflow.__version__
else:
    raise SystemExit(f"keras_bench.py: no backend {backend}")

CELLS = {"simpleRNN": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def make(shape, training, arrays):
    layers = [keras.Input((shape["steps"], shape["inputs"])), CELLS[shape["cell"]](shape["units"])]
    model = keras.Sequential([*layers, keras.layers.Dense(1)] if training else layers)
    weights = ["kernel", "recurrent", "bias"] + (["dense", "denseBias"] if training else [])
    bias = {"gru": (2, -1)}.get(shape["cell"], (-1,))
    model.set_weights([arrays[name].reshape(bias) if name == "bias" else arrays[name] for name in weights])
    # As a tensor of the backend: nothing is converted in a call.
    x = keras.ops.convert_to_tensor(arrays["x"])
    if not training:
        return lambda: model.predict_on_batch(x), lambda: model.predict_on_batch(x).flatten()

    y = keras.ops.convert_to_tensor(arrays["y"])

    def step():
        return float(model.train_on_batch(x, y))

    def losses():
        # train_on_batch reports a mean over its calls.
        found = []
        for _ in range(3):
            model.reset_metrics()
            found.append(step())
        return found

    def check():
        model.compile(keras.optimizers.SGD(shape["checkRate"]), "mse")
        found = losses()
        model.compile(keras.optimizers.Adam(0.001), "mse")
        return found

    return step, check


answer(f"keras {keras.__version__}, {backend} {backend_version}", make)
