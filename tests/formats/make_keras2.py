"""Files of Keras 2 with their predictions, for tests/formats/keras.test.ts: python tests/formats/make_keras2.py

Made with tf_keras 2.21.0 and tensorflow-cpu 2.21.0. Writes tests/formats/keras2.zip: NAME.h5, NAME.weights.h5 and cases.json.
"""

import json
import os
import tempfile
import zipfile

os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np  # noqa: E402
import tf_keras as keras  # noqa: E402

L = keras.layers


def graph():
    x = keras.Input((5, 3))
    dense = L.Dense(3)
    y, h, c = L.LSTM(4, return_sequences=True, return_state=True)(dense(dense(x)))
    y = L.Bidirectional(L.GRU(3, return_sequences=True, reset_after=False))(y)
    y = L.RNN([L.LSTMCell(2), L.GRUCell(3)])(y)
    z = L.BatchNormalization()(L.LSTM(4)(L.Dense(4)(x), initial_state=[h, c]))
    model = keras.Model(x, L.Concatenate()([y, z]))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((4, 5, 3)), np.zeros((4, 7)), verbose=0)
    return model


def stack():
    layers = [L.SeparableConv1D(4, 2, batch_input_shape=(None, 5, 3)), L.MaxPooling1D(2), L.SimpleRNN(3), L.Dense(2)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.RMSprop(0.01), keras.losses.Huber(), metrics=[keras.metrics.MeanSquaredError(name="far")])
    return model


x = ((np.arange(45) * 7 % 11) / 5 - 1).astype("float32").reshape(3, 5, 3)
cases = {}
with zipfile.ZipFile(os.path.join(os.path.dirname(__file__), "keras2.zip"), "w") as out, tempfile.TemporaryDirectory() as folder:
    put = lambda name, data: out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    for make in (graph, stack):
        keras.utils.set_random_seed(2)
        model, name = make(), make.__name__
        for ending, save in ((".h5", model.save), (".weights.h5", model.save_weights)):
            path = os.path.join(folder, name + ending)
            save(path)
            with open(path, "rb") as file:
                put(name + ending, file.read())
        y = model.predict(x, verbose=0)
        cases[name] = {"y": [float(f"{v:.8g}") for v in y.ravel()]}
    cases["x"] = [float(v) for v in x.ravel()]
    put("cases.json", json.dumps(cases))
