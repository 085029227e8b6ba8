"""Opens files that were written here in Keras, and compares predictions, and three epochs more of those that were trained.

    node build/tests/formats/rewrite.js FOLDER && KERAS_BACKEND=torch python tests/formats/open_in_keras.py FOLDER

With Keras 3.15.1 and torch 2.13.0. Prints the largest difference (relative to the number, or to 1) for each kind of file.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402
import numpy as np  # noqa: E402


def array(plain):
    return np.array(plain["data"], plain["dtype"]).reshape(plain["shape"])


def values(found):
    if isinstance(found, dict):
        found = list(found.values())
    return found if isinstance(found, (list, tuple)) else [found]


def apart(found, expected):
    difference = [np.max(np.abs(f - array(e)) / np.maximum(1, np.abs(array(e)))) for f, e in zip(values(found), expected)]
    assert len(values(found)) == len(expected)
    return float(np.max(difference))


def main(folder):
    with open(os.path.join(folder, "cases.json")) as file:
        cases = json.load(file)
    worst = {}
    for name, case in cases.items():
        x = [array(each) for each in case["x"]]
        x = x[0] if len(x) == 1 else x
        for ending in ("keras", "h5", "weights.h5"):
            path = os.path.join(folder, f"{name}.{ending}")
            try:
                if ending == "weights.h5":
                    model = keras.models.load_model(os.path.join(folder, f"{name}.keras"))
                    for weight in model.weights:
                        weight.assign(np.full(weight.shape, 9.0, "float32"))
                    model.load_weights(path)
                else:
                    model = keras.models.load_model(path)
                far = apart(model.predict(x, verbose=0), case["y"])
                more = case.get("more")
                # Keras builds the optimizer of an .h5 file without variables: it cannot train it, its own ones neither.
                if more and ending == "keras":
                    model.fit(array(more["x"]), array(more["y"]), epochs=3, batch_size=3, shuffle=False, verbose=0)
                    after = apart(model.predict(x, verbose=0), more["after"])
                    worst["after training"] = max(worst.get("after training", (0, "")), (after, path))
            except Exception as error:  # Told for each file: one does not hide the others.
                print("FAILED", path, type(error).__name__, str(error)[:600])
                far = float("inf")
            if far > 1e-5:
                print("APART", path, far)
            worst[ending] = max(worst.get(ending, (0, "")), (far, path))
    for kind, (far, path) in worst.items():
        print(f"{kind}: {len(cases)} models, at most {far:.2e} ({os.path.basename(path)})")


main(sys.argv[1])
