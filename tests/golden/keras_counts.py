"""Parameter counts and summaries of well-known Keras models -> keras_counts.json.

The expected counts stand here too, from the books and examples the models come from: a change of Keras is an error.
`lines` is the table as Keras prints it at 88 columns; `rows` and the totals are its contents.
"""

import os

os.environ["COLUMNS"] = "120"

from golden import keras, keras_model, made_with, write


def layer(class_name, **config):
    return {"className": class_name, "config": config}


def words(*layers):
    return [layer("Embedding", inputDim=10000, outputDim=32, inputShape=[None]), *layers]


SIMPLE = layer("SimpleRNN", units=32)
SIMPLE_SEQUENCES = layer("SimpleRNN", units=32, returnSequences=True)
LSTM = layer("LSTM", units=32)
SIGMOID = layer("Dense", units=1, activation="sigmoid")

MODELS = [
    ("Embedding SimpleRNN", words(SIMPLE), 322_080),
    ("Embedding SimpleRNN returnSequences", words(SIMPLE_SEQUENCES), 322_080),
    ("Embedding four SimpleRNN", words(*[SIMPLE_SEQUENCES] * 3, SIMPLE), 328_320),
    ("Embedding SimpleRNN Dense", words(SIMPLE, SIGMOID), 322_113),
    ("Embedding LSTM Dense", words(LSTM, SIGMOID), 328_353),
    ("Embedding bidirectional LSTM Dense", words(layer("Bidirectional", layer=LSTM), SIGMOID), 336_705),
    ("bidirectional IMDB", [
        layer("Embedding", inputDim=20000, outputDim=128, inputShape=[None]),
        layer("Bidirectional", layer=layer("LSTM", units=64, returnSequences=True)),
        layer("Bidirectional", layer=layer("LSTM", units=64)),
        SIGMOID], 2_757_761),
    ("addition_rnn", [
        layer("LSTM", units=128, inputShape=[7, 12]),
        layer("RepeatVector", n=4),
        layer("LSTM", units=128, returnSequences=True),
        layer("Dense", units=12, activation="softmax")], 205_324),
    ("GRU Dense", [layer("GRU", units=32, inputShape=[None, 14]), layer("Dense", units=1)], 4_641),
    ("GRU resetAfter false Dense",
     [layer("GRU", units=32, resetAfter=False, inputShape=[None, 14]), layer("Dense", units=1)], 4_545),
]

cases = []
for name, layers, expected in MODELS:
    keras.utils.clear_session()
    model = keras_model(layers)
    if model.count_params() != expected:
        raise ValueError(f"golden: {name}: expected {expected} parameters, got {model.count_params()}")
    lines = []
    model.summary(line_length=88, print_fn=lambda text: lines.extend(text.rstrip("\n").split("\n")))
    lines = [line.rstrip() for line in lines]
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    rows = [{"layer": a, "outputShape": b, "params": int(c.replace(",", ""))} for a, b, c in cells]
    if len(rows) != len(layers) or sum(row["params"] for row in rows) != expected:
        raise ValueError(f"golden: {name}: the summary's rows do not add up")
    cases.append({
        "name": name,
        "layers": layers,
        "params": expected,
        "rows": rows,
        "totals": [line.strip() for line in lines if "params:" in line],
        "weightShapes": [[int(n) for n in v.shape] for v in model.weights],
        "lines": lines,
    })

write("keras_counts.py", made_with("keras_counts.py", "float32"), cases=cases)
