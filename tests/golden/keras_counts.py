"""Parameter counts and summaries of well-known Keras models -> keras_counts.json.

The expected counts stand here too, from the books and examples the models come from: a change of Keras is an error.
`lines` is the table as Keras prints it at 88 columns (108 where it says what layers are connected to); `rows` and the totals
are its contents. `graphs` are functional models, spelled as in keras_family.py. No masks from embeddings there: of those
Keras 3 shows rows of its own (`not_equal (NotEqual)`), which are no layers.
"""

import os

os.environ["COLUMNS"] = "120"

from golden import keras, keras_model, made_with, write
from keras_family import Family, keras_graph
from keras_recurrent import flat


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

# ---- functional models


def named(name, *shape, graph, ids=None):
    tensor = graph.input(*shape, ids=ids)
    graph.inputs[-1]["name"] = name
    return tensor


def chain():
    g = Family()
    x = named("ids", None, graph=g, ids=9)
    x = g(layer("Embedding", name="words", inputDim=100, outputDim=8), x)
    return g, g(layer("Dense", name="top", units=1), g(layer("LSTM", name="reader", units=16), x))


def states():
    g = Family()
    return g, g(layer("LSTM", name="reader", units=4, returnSequences=True, returnState=True), named("x", 7, 3, graph=g))


def two_inputs():
    g = Family()
    x, z = named("sequence", None, 3, graph=g), named("more", 5, graph=g)
    y = g(layer("Concatenate", name="joined"), g(layer("GRU", name="reader", units=4), x), g(layer("Dense", name="side", units=2), z))
    return g, [g(layer("Dense", name="one", units=1), y), g(layer("Dense", name="two", units=3, activation="softmax"), y)]


def encoder_decoder():
    g = Family()
    source, target = named("source_language", None, graph=g, ids=9), named("target_language", None, graph=g, ids=9)
    source = g(layer("Embedding", name="source_embedding", inputDim=1000, outputDim=16), source)
    target = g(layer("Embedding", name="target_embedding", inputDim=2000, outputDim=16), target)
    _, *state = g(layer("LSTM", name="encoder", units=32, returnState=True), source)
    y = g(layer("LSTM", name="decoder", units=32, returnSequences=True), target, state=state)
    return g, g(layer("Dense", name="next_word", units=2000, activation="softmax"), y)


def shared(name="reader"):
    g = Family()
    x, z = named("left", 7, 3, graph=g), named("right", 4, 3, graph=g)
    reader = layer("Bidirectional", name=name, layer=layer("GRU", units=4))
    a, b = g(reader, x), g(reader, z, again=0)
    return g, g(layer("Dense", name="same", units=1, activation="sigmoid"), g(layer("Subtract", name="difference"), a, b))


def shared_in_a_chain():
    g = Family()
    step = layer("SimpleRNN", name="step", units=3, returnSequences=True)
    return g, g(step, g(step, named("x", None, 3, graph=g)), again=0)


def inner(trainable=True):
    g = Family()
    x = g(layer("LSTM", name="inside", units=4, trainable=trainable), named("inner_input", 7, 3, graph=g))
    return g.as_model(g(layer("Dense", name="inside_top", units=2), x), name="encoder")


def nested_models():
    g = Family()
    x, z = named("a", 7, 3, graph=g), named("b", 7, 3, graph=g)
    a, b = g(inner(), x), g(inner(), z, again=0)
    return g, g(layer("Add", name="sum"), a, b)


def nested_in_a_chain():
    g = Family()
    return g, g(layer("Dense", name="top", units=3), g(inner(trainable=False), named("x", 7, 3, graph=g)))


def frozen():
    g = Family()
    x = named("x", 7, 3, graph=g)
    a = g(layer("GRU", name="frozen", units=4, trainable=False), x)
    b = g(layer("Bidirectional", name="half_frozen", layer=layer("LSTM", units=2, trainable=False)), x)
    c = g(inner(trainable=False), x)
    return g, g(layer("Dense", name="top", units=1), g(layer("Concatenate", name="all"), a, b, c))


def long_names():
    g = Family()
    x = named("an_input_with_a_name_that_is_longer_than_its_column", None, 3, graph=g)
    y, h, c = g(layer("LSTM", name="the_recurrent_layer_that_reads_the_sequence_from_its_beginning", units=5, returnState=True,
                      returnSequences=True), x)
    z = g(layer("GRU", name="and_another_one_on_top_of_it", units=5), y, state=[h])
    return g, [g(layer("Average", name="average_of_the_last_state_and_the_carry"), z, h, c), y]


def two_chains():
    g = Family()
    x, z = named("x", 7, 3, graph=g), named("z", 4, graph=g)
    return g, [g(layer("SimpleRNN", name="a", units=2), x), g(layer("Dense", name="b", units=3), z)]


def repeated():
    g = Family()
    x = named("x", 7, 3, graph=g)
    code = g(layer("LSTM", name="encoder", units=3), x)
    y = g(layer("LSTM", name="decoder", units=3, returnSequences=True), g(layer("RepeatVector", name="repeat", n=7), code))
    return g, [g(layer("TimeDistributed", name="each_step", layer=layer("Dense", units=3)), y), code]


def cells():
    g = Family()
    x = named("x", None, 3, graph=g)
    stack = [layer("LSTMCell", units=4), layer("GRUCell", units=3)]
    y = g(layer("RNN", name="stack", cell=stack), x)
    z = g(layer("Bidirectional", name="both", layer=layer("RNN", cell=layer("GRUCell", units=3)), mergeMode="ave"), x)
    return g, g(layer("Multiply", name="product"), y, z)


graphs = []
for make in [chain, states, two_inputs, encoder_decoder, shared, shared_in_a_chain, nested_models, nested_in_a_chain, frozen,
             long_names, two_chains, repeated, cells]:
    keras.utils.clear_session()
    described, outputs = make()
    model = keras_graph(described.inputs, described.calls, flat(outputs), name=make.__name__)
    lines = []
    model.summary(print_fn=lambda text: lines.extend(text.rstrip("\n").split("\n")))
    graphs.append({"name": make.__name__, "inputs": described.inputs, "calls": described.calls, "outputs": flat(outputs),
                   "params": model.count_params(), "lines": [line.rstrip() for line in lines]})

write("keras_counts.py", made_with("keras_counts.py", "float32"), cases=cases, graphs=graphs)
