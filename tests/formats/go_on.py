"""Five epochs in Keras for models that were trained for five epochs here: see goOn.ts. Keras 3.15.1, torch 2.13.0."""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")
import keras  # noqa: E402
import numpy as np  # noqa: E402

folder = sys.argv[1]
with open(os.path.join(folder, "data.json")) as file:
    data = json.load(file)
x, y = (np.array(data[k]["data"], "float32").reshape(data[k]["shape"]) for k in "xy")
for name in data["names"]:
    model = keras.models.load_model(os.path.join(folder, f"{name}.keras"))
    model.fit(x, y, epochs=5, batch_size=8, shuffle=False, verbose=0)
    model.save(os.path.join(folder, f"{name}.after.keras"))
