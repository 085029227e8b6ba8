"""Graphs of recurrent layers: every output, the loss and every gradient of Keras 3 -> keras_recurrent.json.

keras_layers.py has chains with one output; here are functional models: states as outputs and as initial states, masks from
both of their sources, both directions, branches, shared layers, encoder and decoder. Numbers as there: float32 values,
float64 arithmetic, and a case that strays in Keras' own float32 is refused. The loss is the sum over all outputs of the
mean squared error (compile + compute_loss, so masks are Keras' own). Inference: dropout does nothing here.
Shapes: B batch, T time, I inputs, U units.
"""

import itertools
import multiprocessing
import sys

from golden import array, keras, keras_layer, made_with, normal, np, number, random_weights, snake, stream, torch, write

TOLERANCE = 4e-6
STATES = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}

# ---- a model under description


def layer(class_name, **config):
    return {"className": class_name, "config": config}


def outputs_of(described):
    """How many tensors a call gives."""
    config = described["config"]
    if described["className"] == "Bidirectional":
        inner = config["layer"]
        merged = 2 if config.get("mergeMode", "concat") is None else 1
        return merged + (2 * STATES[inner["className"]] if inner["config"].get("returnState") else 0)
    return 1 + (STATES[described["className"]] if config.get("returnState") else 0)


class Graph:
    """Tensors by number: the inputs first, then what each call gives, in order."""

    def __init__(self, batch=3):
        self.batch, self.inputs, self.feeds, self.calls, self.count = batch, [], [], [], 0

    def input(self, *shape, x=None, ids=None):
        """x: the data; ids: the number of different ids."""
        if self.calls:
            raise ValueError("golden: inputs come before calls")
        x = None if x is None else np.asarray(x)
        self.inputs.append({"shape": list(shape), "dtype": "int32" if ids else "float32"})
        self.feeds.append((x, ids))
        return self.took(1)

    def __call__(self, described, *inputs, state=None, again=None):
        """Applies a layer; `again`: the call whose layer this one shares."""
        call = {"layer": described} if again is None else {"sharedWith": again}
        call["from"] = list(inputs)
        if state is not None:
            call["initialState"] = list(state)
        self.calls.append(call)
        return self.took(outputs_of(described))

    def took(self, count):
        first = self.count
        self.count += count
        return first if count == 1 else list(range(first, first + count))


def made_layer(described):
    config = dict(described["config"])
    for key in ("layer", "backwardLayer"):
        if key in config:
            config[key] = made_layer(config[key])
    if not any(key in config for key in ("layer", "backwardLayer")):
        return keras_layer(described)
    return getattr(keras.layers, described["className"])(**{snake(key): value for key, value in config.items()})


def keras_graph(graph, outputs):
    tensors = [keras.Input(batch_shape=(graph.batch, *each["shape"]),
                           dtype="int32" if each["dtype"] == "int32" else keras.config.floatx())
               for each in graph.inputs]
    inputs = list(tensors)
    made = []
    for call in graph.calls:
        made.append(made[call["sharedWith"]] if "sharedWith" in call else made_layer(call["layer"]))
        given = [tensors[index] for index in call["from"]]
        options = {}
        if "initialState" in call:
            options["initial_state"] = [tensors[index] for index in call["initialState"]]
        result = made[-1](given if len(given) > 1 else given[0], **options)
        tensors += list(result) if isinstance(result, (list, tuple)) else [result]
    if len(tensors) != graph.count:
        raise ValueError(f"golden: {graph.count} tensors expected, Keras gave {len(tensors)}")
    return keras.Model(inputs, [tensors[index] for index in outputs])


# ---- one case, run by Keras


def run(graph, outputs, feeds, weights, draw_targets, floatx):
    """values of the outputs, the loss, gradients of all weights, the targets. Their shapes are those of the values: the
    symbolic shape of a Bidirectional whose layers differ in units is wrong in Keras."""
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = keras_graph(graph, outputs)
    model.set_weights([w.astype(floatx) for w in weights])
    model.compile(loss=["mean_squared_error"] * len(outputs), optimizer="sgd")
    x = [torch.tensor(feed if feed.dtype == np.int32 else feed.astype(floatx)) for feed in feeds]
    values = model(x, training=False)
    values = values if isinstance(values, (list, tuple)) else [values]
    targets = draw_targets([tuple(value.shape) for value in values])
    y = [torch.tensor(target.astype(floatx)) for target in targets]
    loss = model.compute_loss(x=x, y=y, y_pred=list(values), training=False)
    loss.backward()
    if any(tensor.dtype != getattr(torch, floatx) for tensor in [*values, loss]):
        raise ValueError(f"golden: expected {floatx}, Keras computed in something else")
    gradients = [np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy() for v in model.trainable_weights]
    return [value.detach().numpy() for value in values], loss.item(), gradients, targets


def distance(a, b):
    """Largest difference, relative to the largest value of the reference (absolute below 1e-3)."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-3)


def entry(case):
    """One line of the file, and how far Keras' own float32 is from it."""
    name, graph, outputs, scale = case
    rng = stream(name)
    feeds = []
    for each, (x, ids) in zip(graph.inputs, graph.feeds):
        shape = (graph.batch, *each["shape"])
        if x is None:
            x = rng.randint(1, ids, size=shape) if ids else normal(rng, shape)
        feeds.append(x.astype(np.int32) if ids else x)
    keras.config.set_floatx("float64")
    weights = random_weights(keras_graph(graph, outputs), rng, scale)
    draw = lambda shapes: [normal(rng, shape) for shape in shapes]
    values, loss, gradients, targets = run(graph, outputs, feeds, weights, draw, "float64")
    single = run(graph, outputs, feeds, weights, lambda _: targets, "float32")
    pairs = [*zip(single[0], values), (single[1], loss), *zip(single[2], gradients)]
    return {
        "name": name,
        "inputs": graph.inputs,
        "calls": graph.calls,
        "outputs": outputs,
        "feeds": [array(feed, each["dtype"]) for feed, each in zip(feeds, graph.inputs)],
        "weights": [array(w) for w in weights],
        "values": [array(value) for value in values],
        "targets": [array(target) for target in targets],
        "lossValue": number(loss),
        "gradients": [array(gradient) for gradient in gradients],
    }, max(distance(a, b) for a, b in pairs)


cases = []


def case(name, graph, outputs, scale=0.5):
    if any(each[0] == name for each in cases):
        raise ValueError(f"golden: two cases are called {name!r}")
    cases.append((name, graph, [outputs] if isinstance(outputs, int) else list(outputs), scale))


def flags(**config):
    """The options that stand in a case's name: "units 5 goBackwards"."""
    return " ".join(key if value is True else f"{key} {str(value).lower()}" for key, value in config.items())


# ---- the cells, and where masks come from

CELLS = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"resetAfter": False})]
NAMES = {0: "SimpleRNN", 1: "LSTM", 2: "GRU", 3: "GRU resetAfter false"}

MASKS = {
    "prefix": [[0, 0, 0, 3, 7, 1, 10], [0, 5, 5, 2, 8, 1, 4], [9, 8, 7, 6, 5, 4, 3]],
    "suffix": [[3, 7, 1, 10, 0, 0, 0], [5, 0, 0, 0, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3]],
    "holes": [[3, 0, 1, 10, 0, 0, 2], [0, 5, 0, 4, 0, 6, 0], [0, 0, 0, 0, 0, 0, 0]],
}


def sequence(graph, mask=None, source="embedding", inputs=3, then=()):
    """A sequence, and further inputs (shapes in `then`). Under a mask (a key of MASKS) it is ids through an embedding, or
    numbers through a masking layer."""
    if mask is None:
        x, before = graph.input(7, inputs), None
    elif source == "embedding":
        x = graph.input(7, x=MASKS[mask], ids=11)
        before = layer("Embedding", inputDim=11, outputDim=inputs, maskZero=True)
    else:
        data = normal(stream(f"{mask} {inputs}"), (3, 7, inputs))
        data[np.array(MASKS[mask]) == 0] = -1.5
        x, before = graph.input(7, inputs, x=data), layer("Masking", maskValue=-1.5)
    more = [graph.input(*shape) for shape in then]
    return [graph(before, x) if before else x, *more]


def flat(*given):
    return [index for each in given for index in (each if isinstance(each, list) else [each])]


# ---- activations: those of the fused kernels and those that run step by step

PAIRS = [("relu", "sigmoid"), ("softsign", "hardSigmoid"), ("linear", "sigmoid"), ("elu", "tanh"), ("selu", "hardSigmoid"),
         ("gelu", "sigmoid"), ("swish", "softsign"), ("softplus", "sigmoid"), ("exponential", "hardSigmoid"),
         ("hardTanh", "hardSigmoid"), ("tanh", "hardSigmoid"), ("sigmoid", "sigmoid"), ("tanh", "relu")]

for (which, (cell, extra)), (turn, (activation, recurrent)) in itertools.product(enumerate(CELLS), enumerate(PAIRS)):
    if cell == "SimpleRNN" and any(PAIRS[i][0] == activation for i in range(turn)):
        continue
    config = {"units": 3, **extra, "activation": activation}
    if cell != "SimpleRNN":
        config["recurrentActivation"] = recurrent
    more = {"returnSequences": turn % 2 == 0, "returnState": turn % 3 == 0, "goBackwards": turn % 4 == 1}
    config.update({key: True for key, value in more.items() if value})
    mask = [None, "holes", None, "prefix"][(turn + which) % 4]
    graph = Graph()
    [x] = sequence(graph, mask, "masking")
    y = graph(layer(cell, **config), x)
    scale = {"exponential": 0.1, "softplus": 0.4}.get(activation, 0.5)
    words = [NAMES[which], activation, recurrent if which else None, mask]
    case(" ".join(word for word in words if word), graph, flat(y), scale)

# ---- every flag, without a mask

SIZES = itertools.cycle([(1, 3, 7, 1), (3, 1, 7, 5), (5, 3, 1, 3), (3, 3, 7, 3), (5, 1, 1, 1), (1, 1, 7, 3)])
for (which, (cell, extra)), bias, sequences, backwards in itertools.product(
        enumerate(CELLS), (True, False), (True, False), (True, False)):
    units, batch, time, inputs = next(SIZES)
    config = {"units": units, **extra, "useBias": bias, "returnSequences": sequences, "goBackwards": backwards}
    graph = Graph(batch)
    y = graph(layer(cell, **config, returnState=True), graph.input(time, inputs))
    case(f"{cell} {flags(**config)} returnState batch {batch} time {time} inputs {inputs}", graph, flat(y))

for which, (cell, extra) in enumerate(CELLS):
    for unrolled_mask in (None, "holes"):
        graph = Graph()
        [x] = sequence(graph, unrolled_mask, "masking")
        y = graph(layer(cell, units=3, **extra, unroll=True, returnSequences=True, returnState=True), x)
        case(f"{NAMES[which]} unroll {unrolled_mask or ''}".strip(), graph, flat(y))
    graph = Graph()
    y = graph(layer(cell, units=3, **extra, dropout=0.4, recurrentDropout=0.3, returnState=True), graph.input(7, 3))
    case(f"{NAMES[which]} dropout recurrentDropout at inference", graph, flat(y))
for forget in (True, False):
    graph = Graph()
    y = graph(layer("LSTM", units=5, unitForgetBias=forget, returnState=True), graph.input(7, 3))
    case(f"LSTM unitForgetBias {str(forget).lower()} returnState", graph, flat(y))

# ---- masks

for (which, (cell, extra)), mask, source, zero, sequences in itertools.product(
        enumerate(CELLS), MASKS, ("embedding", "masking"), (False, True), (False, True)):
    backwards = (which + len(cases)) % 3 == 0
    config = {"zeroOutputForMask": zero, "returnSequences": sequences, "goBackwards": backwards}
    graph = Graph()
    [x] = sequence(graph, mask, source)
    y = graph(layer(cell, units=3, **extra, **config, returnState=True), x)
    case(f"{NAMES[which]} mask {mask} {source} {flags(**config)}", graph, flat(y))

# ---- initial states, from inputs and from another layer's states

for (which, (cell, extra)), (mask, sequences, zero), source in itertools.product(
        enumerate(CELLS),
        [(None, True, False), ("prefix", True, False), ("prefix", False, False), ("holes", True, False),
         ("holes", False, True), ("suffix", True, True)],
        ("inputs", "states")):
    count = STATES[cell]
    config = {"units": 3, **extra, "returnSequences": sequences, "returnState": True, "zeroOutputForMask": zero,
              "goBackwards": mask == "holes" and source == "inputs"}
    graph = Graph()
    if source == "inputs":
        x, *state = sequence(graph, mask, "masking", then=[(3,)] * count)
    else:
        x, z = sequence(graph, mask, "embedding", then=[(7, 1)])
        _, *state = graph(layer(cell, units=3, **extra, returnState=True), z)
    y = graph(layer(cell, **config), x, state=state)
    case(f"{NAMES[which]} initialState from {source} mask {mask} {flags(returnSequences=sequences, zeroOutputForMask=zero)}",
         graph, flat(y))

# ---- bidirectional

MODES = ["concat", "sum", "mul", "ave", None]


def both(inner, **config):
    return layer("Bidirectional", layer=inner, **config)


for (which, (cell, extra)), (turn, mode), sequences in itertools.product(enumerate(CELLS), enumerate(MODES), (False, True)):
    state = (turn + sequences) % 2 == 0
    units, batch, time = [(3, 3, 7), (1, 1, 7), (5, 3, 1)][turn % 3]
    inner = layer(cell, units=units, **extra, returnSequences=sequences, returnState=state)
    graph = Graph(batch)
    y = graph(both(inner, mergeMode=mode), graph.input(time, 3))
    case(f"Bidirectional {NAMES[which]} {flags(mergeMode=mode, returnSequences=sequences, returnState=state)}", graph, flat(y),
         0.4 if mode is None else 0.5)

for (which, (cell, extra)), (mask, mode, sequences, source) in itertools.product(
        enumerate(CELLS),
        [("holes", "concat", True, "embedding"), ("prefix", "concat", False, "masking"), ("suffix", "sum", True, "masking"),
         ("holes", "ave", False, "embedding"), ("prefix", None, True, "masking"), ("holes", "mul", True, "masking"),
         ("suffix", None, False, "embedding")]):
    inner = layer(cell, units=3, **extra, returnSequences=sequences, returnState=mode != "mul")
    graph = Graph()
    [x] = sequence(graph, mask, source)
    y = graph(both(inner, mergeMode=mode), x)
    case(f"Bidirectional {NAMES[which]} mask {mask} {source} {flags(mergeMode=mode, returnSequences=sequences)}",
         graph, flat(y))

for which, (cell, extra) in enumerate(CELLS):
    for mask in (None, "holes"):
        # the other class, other units: only concat can join them
        graph = Graph()
        [x] = sequence(graph, mask, "masking")
        other = ("GRU", {}) if cell == "SimpleRNN" else ("SimpleRNN", {"activation": "relu"})
        inner = layer(cell, units=3, **extra, returnSequences=True)
        backward = layer(other[0], units=1, **other[1], returnSequences=True, goBackwards=True)
        y = graph(both(inner, backwardLayer=backward), x)
        case(f"Bidirectional {NAMES[which]} backwardLayer {other[0]} mask {mask}", graph, flat(y))
    graph = Graph()
    backward = layer(cell, units=3, **extra, useBias=False, goBackwards=True, returnState=True)
    y = graph(both(layer(cell, units=3, **extra, returnState=True), backwardLayer=backward, mergeMode="sum"), graph.input(7, 3))
    case(f"Bidirectional {NAMES[which]} backwardLayer returnState sum", graph, flat(y))
    graph = Graph()
    turned, backward = [layer(cell, units=3, **extra, goBackwards=way, returnSequences=True) for way in (True, False)]
    y = graph(both(turned, backwardLayer=backward), graph.input(7, 3))
    case(f"Bidirectional {NAMES[which]} goBackwards with a backwardLayer that does not", graph, flat(y))
    for mask, sequences in [(None, True), ("prefix", True), ("suffix", False)]:
        graph = Graph()
        x, *state = sequence(graph, mask, "masking", then=[(3,)] * (2 * STATES[cell]))
        y = graph(both(layer(cell, units=3, **extra, returnSequences=sequences, returnState=True)), x, state=state)
        case(f"Bidirectional {NAMES[which]} initialState mask {mask} {flags(returnSequences=sequences)}", graph, flat(y))
    graph = Graph()
    [x] = sequence(graph, "holes", "embedding")
    a = graph(both(layer(cell, units=1, **extra, returnSequences=True)), x)
    b = graph(both(layer(cell, units=3, **extra), mergeMode="sum"), a)
    case(f"Bidirectional {NAMES[which]} twice mask holes", graph, b)

# ---- timeDistributed, repeatVector


def each_step(inner):
    return layer("TimeDistributed", layer=inner)


for which, (cell, extra) in enumerate(CELLS):
    for mask in (None, "holes"):
        graph = Graph()
        [x] = sequence(graph, mask)
        y = graph(layer(cell, units=3, **extra, returnSequences=True), x)
        y = graph(each_step(layer("Dense", units=5, activation="tanh")), y)
        y = graph(each_step(layer("Dense", units=2)), y)
        case(f"{NAMES[which]} TimeDistributed Dense Dense mask {mask}", graph, y)
    graph = Graph()
    y = graph(layer("Dense", units=3, activation="tanh"), graph.input(5))
    y = graph(layer("RepeatVector", n=7), y)
    y = graph(layer(cell, units=3, **extra, returnSequences=True, returnState=True), y)
    case(f"RepeatVector {NAMES[which]}", graph, flat(y))
    graph = Graph()
    y = graph(layer(cell, units=3, **extra), graph.input(7, 3))
    y = graph(layer("RepeatVector", n=3), y)
    y = graph(layer(cell, units=5, **extra, returnSequences=True), y)
    y = graph(each_step(layer("Dense", units=2)), y)
    case(f"{NAMES[which]} RepeatVector {NAMES[which]} TimeDistributed Dense", graph, y)
    graph = Graph()
    y = graph(each_step(layer(cell, units=3, **extra)), graph.input(3, 5, 2))
    y = graph(layer(cell, units=3, **extra), y)
    case(f"TimeDistributed {NAMES[which]} {NAMES[which]}", graph, y)
    graph = Graph()
    y = graph(each_step(layer("Dense", units=3)), graph.input(7, 5))
    y = graph(layer(cell, units=3, **extra, goBackwards=True), y)
    case(f"TimeDistributed Dense {NAMES[which]} goBackwards", graph, y)

# ---- branches, joined

MERGES = ["Concatenate", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"]
for turn, (merge, sequences) in enumerate(itertools.product(MERGES, (True, False))):
    for mask in (None, "holes"):
        one, two = CELLS[turn % 4], CELLS[(turn + 1) % 4]
        graph = Graph()
        [x] = sequence(graph, mask)
        a = graph(layer(one[0], units=3, **one[1], returnSequences=sequences), x)
        b = graph(layer(two[0], units=3, **two[1], returnSequences=sequences, goBackwards=True), x)
        y = graph(layer("Dense", units=2), graph(layer(merge), a, b))
        case(f"{merge} of {one[0]} and {two[0]} {flags(returnSequences=sequences)} mask {mask}", graph, y)
for merge, order in itertools.product(["Add", "Multiply", "Maximum", "Minimum", "Concatenate"], (1, -1)):
    if (merge, order) == ("Concatenate", -1):
        continue  # the ops of its mask change the depths of the branches in Keras, and so the order of the weights
    graph = Graph()
    x, z = sequence(graph, "holes", "masking", then=[(7, 3)])
    a = graph(layer("GRU", units=3, returnSequences=True), x)
    b = graph(layer("SimpleRNN", units=3, returnSequences=True), z)
    y = graph(layer("LSTM", units=3, returnSequences=True), graph(layer(merge), *[a, b][::order]))
    case(f"{merge} of branches with a mask and without, the {'first' if order == 1 else 'second'} masked", graph, y)
for merge in ["Add", "Multiply", "Average", "Maximum", "Concatenate"]:
    graph = Graph()
    x = graph.input(7, 3)
    three = [graph(layer(cell, units=3, **extra), x) for cell, extra in CELLS[:3]]
    case(f"{merge} of three branches", graph, graph(layer(merge), *three))
for which, (cell, extra) in enumerate(CELLS):
    graph = Graph()
    x, z = graph.input(7, 3), graph.input(7, 3)
    shared = layer(cell, units=3, **extra)
    a = graph(shared, x)
    b = graph(shared, z, again=0)
    case(f"{NAMES[which]} shared by two inputs", graph, graph(layer("Concatenate"), a, b))
    graph = Graph()
    shared = layer(cell, units=3, **extra, returnSequences=True, returnState=True)
    a, *state = graph(shared, graph.input(7, 3))
    b = graph(shared, a, state=state, again=0)
    case(f"{NAMES[which]} applied to its own output", graph, flat(b))
    graph = Graph()
    [x] = sequence(graph, "suffix")
    a = graph(layer(cell, units=3, **extra, returnSequences=True), x)
    case(f"{NAMES[which]} residual mask suffix", graph, graph(layer("Add"), a, x))

# ---- stacks

for which, (cell, extra) in enumerate(CELLS):
    following = CELLS[(which + 1) % 4]
    for mask, source in [(None, None), ("holes", "embedding"), ("prefix", "masking")]:
        graph = Graph()
        [x] = sequence(graph, mask, source)
        a, *states = graph(layer(cell, units=3, **extra, returnSequences=True, returnState=True), x)
        b = graph(layer(following[0], units=5, **following[1], returnSequences=True, returnState=True), a)
        case(f"stack of {NAMES[which]} and {following[0]} mask {mask}", graph, flat(b, states))
    for mask in (None, "suffix"):
        graph = Graph()
        [x] = sequence(graph, mask, "masking")
        y = graph(layer(cell, units=3, **extra, returnSequences=True), x)
        y = graph(layer(cell, units=1, **extra, returnSequences=True, goBackwards=True), y)
        y = graph(layer(cell, units=5, **extra), y)
        case(f"stack of three {NAMES[which]} mask {mask}", graph, y)

# ---- encoder and decoder

for which, (cell, extra) in enumerate(CELLS):
    for kind in ("numbers", "ids", "masked ids", "both ways"):
        graph = Graph()
        if kind == "numbers":
            source, target = graph.input(7, 3), graph.input(5, 2)
        else:
            zero = {"maskZero": True} if kind == "masked ids" else {}
            source = graph.input(7, x=MASKS["suffix"] if zero else np.array(MASKS["suffix"]) % 7, ids=11)
            target = graph.input(5, x=[[1, 4, 2, 0, 0], [3, 0, 0, 0, 0], [5, 2, 4, 6, 1]], ids=7)
            source = graph(layer("Embedding", inputDim=11, outputDim=3, **zero), source)
            target = graph(layer("Embedding", inputDim=7, outputDim=2, **zero), target)
        if kind == "both ways":
            _, *states = graph(both(layer(cell, units=1, **extra, returnState=True)), source)
            count = STATES[cell]
            states = [graph(layer("Concatenate"), states[k], states[count + k]) for k in range(count)]
            units = 2
        else:
            _, *states = graph(layer(cell, units=3, **extra, returnState=True), source)
            units = 3
        y = graph(layer(cell, units=units, **extra, returnSequences=True), target, state=states)
        y = graph(layer("Dense", units=4), y)
        case(f"encoder decoder {NAMES[which]} {kind}", graph, y)

# ---- all of them

if __name__ == "__main__":
    lines, refused, worst = [], [], (0.0, "")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for found, far in pool.imap(entry, cases, 4):
            worst = max(worst, (far, found["name"]))
            if far > TOLERANCE:
                refused.append(f"{found['name']}: Keras' float32 is {far:.2g} from its float64; choose a milder case")
            lines.append(found)
    if refused:
        sys.exit("golden: " + "\n".join(refused))
    write("keras_recurrent.py", made_with("keras_recurrent.py", "float64"), cases=lines)
    print(f"float32 is at most {worst[0]:.2g} away ({worst[1]})")
