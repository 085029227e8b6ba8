"""The rest of the recurrent family, as Keras 3 computes it -> keras_family.json.

keras_recurrent.py has the layers themselves; here are `RNN` over cells and stacks of cells, every activation, masks on
their way through other layers, explicit masks, shared layers and models inside models (`cases`: outputs, loss, all
gradients); states kept from batch to batch (`stateful`); and ten training steps of masked stacks and of graphs with
several outputs or frozen parts (`trained`). Graphs are spelled as in keras_recurrent.py; a call may have a `mask` (a tensor
number), a layer may be a `Model` with a graph of its own, a `cell` or a list of cells. Precision as there.
Shapes: B batch, T time, I inputs, U units.
"""

import multiprocessing
import sys

from golden import (array, keras, keras_config, keras_object, made_with, nested, normal, np, number, random_weights, snake,
                    stream, torch, write)
from keras_recurrent import CELLS, MASKS, NAMES, TOLERANCE, Graph, distance, flags, flat, layer, sequence

STEPS = 10
INNER = ("layer", "backwardLayer", "cell", "cells")

# ---- Keras from descriptions


def made(described):
    """A layer, a cell, a list of cells, or a model."""
    if isinstance(described, list):
        return [made(each) for each in described]
    config = dict(described["config"])
    if described["className"] == "Model":
        model = keras_graph(config["inputs"], config["calls"], config["outputs"], name=config.get("name"), inside=True)
        if "trainable" in config:  # which also sets it of all layers inside
            model.trainable = config["trainable"]
        return model
    inner = {key: made(config.pop(key)) for key in INNER if key in config}
    # Keras 3 forgets `trainable=False` given to a layer around others (their weights are trained all the same): set afterwards,
    # it is what it says.
    trainable = config.pop("trainable", True) if inner else True
    options = keras_config(config)
    result = getattr(keras.layers, described["className"])(**{snake(key): value for key, value in inner.items()}, **options)
    if not trainable:
        result.trainable = False
    return result


def states_in(described_layer, flat_states):
    """States as Keras nests them: those of stacked cells, by cell."""
    cell = getattr(described_layer, "cell", None)
    if isinstance(cell, keras.layers.StackedRNNCells):
        return keras.tree.pack_sequence_as(cell.state_size, flat_states)
    if isinstance(described_layer, keras.layers.Bidirectional):
        cell = getattr(described_layer.forward_layer, "cell", None)
        if isinstance(cell, keras.layers.StackedRNNCells):
            half = len(flat_states) // 2
            return [part for k in (0, half) for part in keras.tree.pack_sequence_as(cell.state_size, flat_states[k:k + half])]
    return flat_states


def keras_graph(inputs, calls, outputs, batch=None, name=None, inside=False):
    tensors = [keras.Input(batch_shape=(each.get("batchSize", batch), *each["shape"]), name=each.get("name"),
                           dtype="int32" if each["dtype"] == "int32" else keras.config.floatx())
               for each in inputs]
    starts = list(tensors)
    layers = []
    for call in calls:
        layers.append(layers[call["sharedWith"]] if "sharedWith" in call else made(call["layer"]))
        given = [tensors[index] for index in call["from"]]
        options = {}
        if "initialState" in call:
            options["initial_state"] = states_in(layers[-1], [tensors[index] for index in call["initialState"]])
        if "mask" in call:
            options["mask"] = tensors[call["mask"]]
        result = layers[-1](given if len(given) > 1 else given[0], **options)
        tensors += keras.tree.flatten(result)
    ends = [tensors[index] for index in outputs]
    # TimeDistributed knows no models whose input or output is a list
    one = lambda tensors: tensors[0] if inside and len(tensors) == 1 else tensors
    return keras.Model(one(starts), one(ends), name=name)


# ---- a graph under description


def state_count(described):
    """How many tensors the states of a layer or of a cell are."""
    if isinstance(described, list):
        return sum(state_count(each) for each in described)
    config = described["config"]
    for key in ("cell", "cells"):
        if key in config:
            return state_count(config[key])
    if described["className"] == "Bidirectional":
        return 2 * state_count(config["layer"])
    return 2 if described["className"].startswith("LSTM") else 1


class Family(Graph):
    """With masks by name, models inside, and batches."""

    def __call__(self, described, *inputs, state=None, mask=None, again=None):
        call = {"layer": described} if again is None else {"sharedWith": again}
        call["from"] = list(inputs)
        if state is not None:
            call["initialState"] = list(state)
        if mask is not None:
            call["mask"] = mask
        self.calls.append(call)
        config = described["config"]
        if described["className"] == "Model":
            return self.took(len(config["outputs"]))
        one = 1
        returns = config.get("returnState")
        if described["className"] == "Bidirectional":
            one = 2 if config.get("mergeMode", "concat") is None else 1
            returns = config["layer"]["config"].get("returnState")
        return self.took(one + (state_count(described) if returns else 0))

    def as_model(self, *outputs, **config):
        return layer("Model", inputs=self.inputs, calls=self.calls, outputs=flat(*outputs), **config)


def fill(graph, rng):
    feeds = []
    for each, (x, ids) in zip(graph.inputs, graph.feeds):
        shape = (graph.batch, *each["shape"])
        if x is None:
            x = rng.randint(1, ids, size=shape) if ids else normal(rng, shape)
        feeds.append(x.astype(np.int32) if each["dtype"] == "int32" else x)
    return feeds


def tensors_of(arrays, floatx):
    return [torch.tensor(x if x.dtype == np.int32 else x.astype(floatx)) for x in arrays]


def fresh(graph, outputs, weights, floatx):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    model = keras_graph(graph.inputs, graph.calls, outputs, graph.batch)
    if callable(weights):
        weights = weights(model)
    model.set_weights([w.astype(floatx) for w in weights])
    return model


def as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


# ---- kind one: outputs, loss and gradients


def run(graph, outputs, feeds, weights, draw, floatx):
    model = fresh(graph, outputs, weights, floatx)
    before = [keras.ops.convert_to_numpy(w) for w in model.weights]
    model.compile(loss=["mean_squared_error"] * len(outputs), optimizer="sgd")
    x = tensors_of(feeds, floatx)
    values = as_list(model(x, training=False))
    targets = draw([tuple(value.shape) for value in values])
    loss = model.compute_loss(x=x, y=tensors_of(targets, floatx), y_pred=values, training=False)
    loss.backward()
    if any(tensor.dtype != getattr(torch, floatx) for tensor in [*values, loss]):
        raise ValueError(f"golden: expected {floatx}, Keras computed in something else")
    trained = {id(v) for v in model.trainable_weights}
    gradients = [None if id(v) not in trained else np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy()
                 for v in model.weights]
    return [value.detach().numpy() for value in values], loss.item(), gradients, targets, before


def graph_entry(name, graph, outputs, scale=0.5):
    rng = stream(name)
    feeds = fill(graph, rng)
    drawn = lambda model: random_weights(model, rng, scale)
    draw = lambda shapes: [normal(rng, shape) for shape in shapes]
    values, loss, gradients, targets, weights = run(graph, outputs, feeds, drawn, draw, "float64")
    single = run(graph, outputs, feeds, weights, lambda _: targets, "float32")
    pairs = [*zip(single[0], values), (single[1], loss),
             *[(a, b) for a, b in zip(single[2], gradients) if b is not None]]
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
        "gradients": [None if gradient is None else array(gradient) for gradient in gradients],
    }, max(distance(a, b) for a, b in pairs)


# ---- kind two: states from batch to batch


def on_copies(inner_loop):
    """On torch, Keras overwrites the states of a stateful layer while their values are still needed for the gradients (and
    PyTorch refuses). The loop runs on copies here, which changes no number."""
    def run(self, sequences, initial_state, mask, training=False):
        if self.stateful:
            initial_state = keras.tree.map_structure(lambda state: state.clone(), initial_state)
        return inner_loop(self, sequences, initial_state, mask, training)
    return run


for each in (keras.layers.RNN, keras.layers.LSTM, keras.layers.GRU):
    each.inner_loop = on_copies(each.inner_loop)


def reset(model):
    for each in model._flatten_layers():
        if isinstance(each, keras.layers.RNN) and each.stateful:
            each.reset_state()


def go_on(graph, outputs, batches, targets, weights, floatx):
    model = fresh(graph, outputs, weights, floatx)
    cast = lambda arrays: [x if x.dtype == np.int32 else x.astype(floatx) for x in arrays]
    predict = lambda feeds: as_list(model.predict_on_batch(cast(feeds)))
    predicted = [predict(feeds) for feeds in batches]
    targets = targets([value.shape for value in predicted[0]])
    reset(model)
    again = predict(batches[1])
    reset(model)
    model.compile(loss=["mean_squared_error"] * len(outputs), optimizer=keras.optimizers.SGD(0.1))
    losses = [float(as_list(model.train_on_batch(cast(x), cast(y)))[0]) for x, y in zip(batches, targets)]
    # the states are those that training left
    return predicted, again, losses, model.get_weights(), predict(batches[0]), targets


def stateful_entry(name, graph, outputs, scale=0.5):
    rng = stream(name)
    batches = [fill(graph, rng) for _ in range(3)]
    for feeds in batches[1:]:  # data that was given turns from batch to batch
        for k, (x, _) in enumerate(graph.feeds):
            if x is not None:
                feeds[k] = np.roll(batches[0][k], len(batches) - 1, axis=0).astype(feeds[k].dtype)
    weights = []
    fresh(graph, outputs, lambda model: weights.extend(random_weights(model, rng, scale)) or weights, "float64")
    draw = lambda shapes: [[normal(rng, shape) for shape in shapes] for _ in batches]
    found = go_on(graph, outputs, batches, draw, weights, "float64")
    predicted, again, losses, after, carried, targets = found
    single = go_on(graph, outputs, batches, lambda _: targets, weights, "float32")
    pairs = [*zip(sum(single[0], []), sum(predicted, [])), *zip(single[1], again), (single[2], losses),
             *zip(single[3], after), *zip(single[4], carried)]
    return {
        "name": name,
        "inputs": [{**each, "batchSize": graph.batch} for each in graph.inputs],
        "calls": graph.calls,
        "outputs": outputs,
        "weights": [array(w) for w in weights],
        "batches": [[array(feed, each["dtype"]) for feed, each in zip(feeds, graph.inputs)] for feeds in batches],
        "predicted": [[array(value) for value in values] for values in predicted],
        "secondAfterReset": [array(value) for value in again],
        "targets": [[array(target) for target in each] for each in targets],
        "losses": [number(loss) for loss in losses],
        "weightsAfter": [array(w) for w in after],
        "firstAfterTraining": [array(value) for value in carried],
    }, max(distance(a, b) for a, b in pairs)


# ---- kind three: ten steps


def train(graph, outputs, weights, batches, floatx, loss, optimizer, loss_weights, class_weight):
    model = fresh(graph, outputs, weights, floatx)
    losses = [keras_object(keras.losses, each) for each in loss]
    model.compile(loss=losses if len(losses) > 1 else losses[0], optimizer=keras_object(keras.optimizers, optimizer),
                  loss_weights=loss_weights)
    cast = lambda x: x if x.dtype in (np.int32, np.int64) else x.astype(floatx)
    found = []
    for step in range(STEPS):
        feeds, targets, sample_weight = batches[step % len(batches)]
        options = {}
        if sample_weight is not None:
            options["sample_weight"] = cast(sample_weight)
        if class_weight is not None:
            options["class_weight"] = class_weight
        y = [cast(target) for target in targets]
        found.append(float(as_list(model.train_on_batch([cast(x) for x in feeds], y if len(y) > 1 else y[0], **options))[0]))
    return model.get_weights(), found


def trained_entry(name, graph, outputs, draw, optimizer, loss=None, loss_weights=None, class_weight=None, weighted=None,
                  scale=0.5):
    """draw: the targets of a batch, from a stream; weighted: the shape of sample weights."""
    rng = stream(name)
    loss = loss or [{"className": "MeanSquaredError", "config": {}}] * len(outputs)
    weights = []
    fresh(graph, outputs, lambda model: weights.extend(random_weights(model, rng, scale)) or weights, "float64")
    batches = []
    for turn in range(2):
        feeds = fill(graph, rng)
        for k, (x, _) in enumerate(graph.feeds):
            if x is not None:
                feeds[k] = np.roll(feeds[k], turn, axis=0)
        sample_weight = None if weighted is None else np.round(np.abs(normal(rng, weighted)) + 0.25, 2)
        batches.append((feeds, draw(rng), sample_weight))
    args = (loss, optimizer, loss_weights, class_weight)
    after, losses = train(graph, outputs, weights, batches, "float64", *args)
    after32, losses32 = train(graph, outputs, weights, batches, "float32", *args)
    far = max(distance(a, b) for a, b in zip([*after32, losses32], [*after, losses]))
    kind = lambda x: "int32" if x.dtype in (np.int32, np.int64) else "float32"
    return {
        "name": name,
        "inputs": graph.inputs,
        "calls": graph.calls,
        "outputs": outputs,
        "loss": loss,
        "optimizer": optimizer,
        **({} if loss_weights is None else {"lossWeights": loss_weights}),
        **({} if class_weight is None else {"classWeight": class_weight}),
        "weights": [array(w) for w in weights],
        "batches": [{"inputs": [array(x, kind(x)) for x in feeds], "targets": [array(y, kind(y)) for y in targets],
                     **({} if w is None else {"sampleWeight": nested(w)})} for feeds, targets, w in batches],
        "losses": [number(value) for value in losses],
        "weightsAfter": [array(w) for w in after],
    }, far


# Optimizers that divide by a gradient's size carry rounding on: ten steps are compared at 1e-4.
TOLERANCES = {"cases": TOLERANCE, "stateful": TOLERANCE, "trained": 1e-5}
KINDS = {"cases": graph_entry, "stateful": stateful_entry, "trained": trained_entry}
described = {kind: [] for kind in KINDS}


def case(kind, name, graph, outputs, *args, **options):
    if any(each[0] == name for each in described[kind]):
        raise ValueError(f"golden: two cases are called {name!r}")
    described[kind].append((name, graph, flat(outputs), args, options))


# ---- every activation in both places

ACTIVATIONS = ["linear", "relu", "relu6", "leakyRelu", "elu", "selu", "gelu", "swish", "mish", "softplus", "softsign", "tanh",
               "sigmoid", "hardSigmoid", "hardTanh", "hardSwish", "exponential", "logSigmoid", "softmax", "logSoftmax"]
SCALES = {"exponential": 0.1, "softplus": 0.3, "logSoftmax": 0.2, "logSigmoid": 0.3}

for which, (cell, extra) in enumerate(CELLS):
    for turn, activation in enumerate(ACTIVATIONS):
        scale = SCALES.get(activation, 0.5)
        graph = Family(2)
        config = {"units": 3, **extra, "activation": activation, "returnSequences": turn % 2 == 0}
        if turn % 3 == 2:
            config["useBias"] = False
        y = graph(layer(cell, **config), graph.input(4, 2))
        case("cases", f"{NAMES[which]} activation {activation}", graph, y, scale)
        if cell != "SimpleRNN":
            graph = Family(2)
            config = {"units": 3, **extra, "recurrentActivation": activation, "returnState": True}
            if turn % 3 == 1:
                config["useBias"] = False
            y = graph(layer(cell, **config), graph.input(4, 2))
            case("cases", f"{NAMES[which]} recurrentActivation {activation}", graph, y, scale)
    graph = Family()
    [x] = sequence(graph, "holes")
    y = graph(layer(cell, units=3, **extra, useBias=False, returnSequences=True, returnState=True), x)
    case("cases", f"{NAMES[which]} useBias false mask holes", graph, y)
    if cell != "SimpleRNN":
        graph = Family()
        [x] = sequence(graph, "suffix", "masking")
        more = {"activation": "relu", "recurrentActivation": "hardSigmoid"}
        y = graph(layer(cell, units=3, **extra, **more, useBias=False, goBackwards=True), x)
        case("cases", f"{NAMES[which]} useBias false relu hardSigmoid mask suffix", graph, y)

# ---- cells in rnn


def cell(class_name, units=3, **config):
    return layer(f"{class_name}Cell", units=units, **config)


def stacked(*cells):
    return layer("StackedRNNCells", cells=list(cells))


STACKS = {
    **{f"{NAMES[k]} cell": cell(name, **extra) for k, (name, extra) in enumerate(CELLS)},
    "a list of LSTM and GRU": [cell("LSTM"), cell("GRU", 2)],
    "stacked SimpleRNN, LSTM, LSTM": stacked(cell("SimpleRNN", 2), cell("LSTM", 3), cell("LSTM", 1)),
    "stacked GRU resetAfter false, relu LSTM": stacked(
        cell("GRU", 3, resetAfter=False), cell("LSTM", 2, activation="relu", recurrentActivation="hardSigmoid")),
}


def state_sizes(cells):
    if isinstance(cells, list):
        return [size for each in cells for size in state_sizes(each)]
    config = cells["config"]
    return state_sizes(config["cells"]) if "cells" in config else [config["units"]] * state_count(cells)


for turn, (name, cells) in enumerate(STACKS.items()):
    for config in [{}, {"returnSequences": True}, {"returnState": True}, {"goBackwards": True, "returnSequences": True},
                   {"returnSequences": True, "returnState": True, "goBackwards": True}]:
        graph = Family()
        y = graph(layer("RNN", cell=cells, **config), graph.input(5, 2))
        case("cases", " ".join(["rnn", name, *config]), graph, y)
    for mask, source, config in [("prefix", "embedding", {"returnSequences": True}),
                                 ("suffix", "masking", {"returnState": True}),
                                 ("holes", "embedding", {"returnSequences": True, "returnState": True}),
                                 ("holes", "masking", {"returnSequences": True, "zeroOutputForMask": True}),
                                 ("holes", "masking", {"zeroOutputForMask": True}),
                                 ("suffix", "embedding", {"goBackwards": True, "returnSequences": True, "returnState": True})]:
        graph = Family()
        [x] = sequence(graph, mask, source, 2)
        y = graph(layer("RNN", cell=cells, **config), x)
        mild = [0.3] if "relu" in name and config == {"zeroOutputForMask": True} else []
        case("cases", " ".join(["rnn", name, "mask", mask, source, *config]), graph, y, *mild)
    sizes = state_sizes(cells)
    for config in [{"returnSequences": True, "returnState": True}, {"goBackwards": True}]:
        graph = Family()
        x, *state = sequence(graph, None, then=[(size,) for size in sizes])
        y = graph(layer("RNN", cell=cells, **config), x, state=state)
        case("cases", " ".join(["rnn", name, "initialState", *config]), graph, y)
    graph = Family()
    x, mask, *state = sequence(graph, None, then=[(7,), *[(size,) for size in sizes]])
    graph.feeds[mask] = (np.array(MASKS["holes"]) > 0, None)
    y = graph(layer("RNN", cell=cells, returnSequences=True, returnState=True), x, state=state, mask=mask)
    case("cases", f"rnn {name} initialState and a mask by name", graph, y)
    for mode, mask, config in [("concat", None, {"returnSequences": True}), ("sum", "holes", {}),
                               ("ave", "holes", {"returnSequences": True}), (None, None, {"returnState": True})]:
        if config.get("returnState") and isinstance(cells, list):
            continue
        graph = Family()
        [x] = sequence(graph, mask, "masking", 2)
        y = graph(layer("Bidirectional", layer=layer("RNN", cell=cells, **config), mergeMode=mode), x)
        case("cases", " ".join(["Bidirectional rnn", name, str(mode), "mask", str(mask), *config]), graph, y)

graph = Family()
inner = stacked(cell("SimpleRNN", 2), stacked(cell("GRU", 3), cell("LSTM", 2)))
y = graph(layer("RNN", cell=inner, returnSequences=True), graph.input(5, 2))
case("cases", "rnn stacked in stacked", graph, y)
graph = Family()
[x] = sequence(graph, "holes", "embedding", 2)
y = graph(layer("RNN", cell=inner), x)
case("cases", "rnn stacked in stacked mask holes", graph, y)

# ---- masks: given by name, implied together with states

for which, (name, extra) in enumerate(CELLS):
    count = 2 if name == "LSTM" else 1
    for mask in ("prefix", "suffix", "holes"):
        # by name
        graph = Family()
        x, by_name = graph.input(7, 3), graph.input(7, x=np.array(MASKS[mask]) > 0)
        y = graph(layer(name, units=3, **extra, returnSequences=True, returnState=True), x, mask=by_name)
        case("cases", f"{NAMES[which]} a mask by name {mask}", graph, y)
        # implied, with states: Keras hides it from the loop, and hands it on
        graph = Family()
        x, *state = sequence(graph, mask, then=[(3,)] * count)
        y = graph(layer(name, units=3, **extra, returnSequences=True, returnState=True), x, state=state)
        case("cases", f"{NAMES[which]} implied mask {mask} and initialState", graph, y)
    graph = Family()
    x, by_name, *state = sequence(graph, "suffix", then=[(7,), *[(3,)] * count])
    graph.feeds[by_name] = (np.array(MASKS["holes"]) > 0, None)
    y = graph(layer(name, units=3, **extra, returnSequences=True), x, state=state, mask=by_name)
    y = graph(layer("SimpleRNN", units=2), y)
    case("cases", f"{NAMES[which]} implied mask, another by name, and initialState", graph, y)
    graph = Family()
    x, *state = sequence(graph, "holes", then=[(3,)] * count)
    y = graph(layer(name, units=3, **extra, returnSequences=True), x, state=state)
    y = graph(layer("GRU", units=2), y)
    case("cases", f"{NAMES[which]} implied mask and initialState, seen by the next layer", graph, y)
    graph = Family()
    x, *state = sequence(graph, "holes", "masking", then=[(3,)] * 2 * count)
    inner = layer(name, units=3, **extra, returnSequences=True, returnState=True)
    y = graph(layer("Bidirectional", layer=inner), x, state=state)
    case("cases", f"Bidirectional {NAMES[which]} implied mask and initialState", graph, y)
    graph = Family()
    x, by_name, *state = sequence(graph, None, then=[(7,), *[(3,)] * 2 * count])
    graph.feeds[by_name] = (np.array(MASKS["holes"]) > 0, None)
    y = graph(layer("Bidirectional", layer=inner, mergeMode="sum"), x, state=state, mask=by_name)
    case("cases", f"Bidirectional {NAMES[which]} a mask by name and initialState", graph, y)

# ---- timeDistributed, and masks through other layers


def each_step(inner, **config):
    return layer("TimeDistributed", layer=inner, **config)


def model_of(shape, *layers, dtype=None):
    graph = Family()
    x = graph.input(*shape, ids=9 if dtype else None)
    for described_layer in layers:
        x = graph(described_layer, x)
    return graph.as_model(x)


for mask in (None, "holes", "suffix"):
    for name, inner in [("Dense", layer("Dense", units=2, activation="relu")),
                        ("a model", model_of((3,), layer("Dense", units=4, activation="tanh"), layer("Dense", units=2))),
                        ("Activation", layer("Activation", activation="elu")),
                        ("Dropout", layer("Dropout", rate=0.5))]:
        graph = Family()
        [x] = sequence(graph, mask)
        y = graph(each_step(inner), x)
        if name in ("Activation", "Dropout"):
            y = graph(layer("Dense", units=2), y)
        case("cases", f"TimeDistributed {name} under the loss mask {mask}", graph, y)
        graph = Family()
        [x] = sequence(graph, mask, "masking")
        y = graph(layer("LSTM", units=2, returnSequences=True, goBackwards=True), graph(each_step(inner), x))
        case("cases", f"TimeDistributed {name} then LSTM mask {mask}", graph, y)
for which, (name, extra) in enumerate(CELLS):
    for sequences in (True, False):
        graph = Family()
        y = graph(each_step(layer(name, units=3, **extra, returnSequences=sequences)), graph.input(3, 4, 2))
        y = graph(each_step(layer("Dense", units=2)), y)
        case("cases", f"TimeDistributed {NAMES[which]} of [B, T1, T2, F] {flags(returnSequences=sequences)}", graph, y)
    graph = Family()
    inner = model_of((4, 2), layer("Masking"), layer(name, units=3, **extra, returnSequences=True), layer("GRU", units=2))
    data = normal(stream(name), (3, 3, 4, 2))
    data[0, 1, 2:] = data[1, 0] = data[2, 2, 0] = 0
    y = graph(each_step(inner), graph.input(3, 4, 2, x=data))
    y = graph(layer(name, units=2, **extra), y)
    case("cases", f"TimeDistributed model that masks, {NAMES[which]}", graph, y)
    graph = Family()
    ids = np.array([[[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]], [[4, 5, 6, 7], [0, 8, 0, 1], [1, 1, 0, 2]]])
    graph.batch = 2
    x = graph(layer("Embedding", inputDim=9, outputDim=2), graph.input(3, 4, x=ids, ids=9))
    y = graph(each_step(layer("Bidirectional", layer=layer(name, units=2, **extra))), x)
    y = graph(layer(name, units=3, **extra, returnSequences=True), y)
    case("cases", f"hierarchical ids, Bidirectional {NAMES[which]} inside", graph, y)

THROUGH = {
    "dropout": [layer("Dropout", rate=0.4)],
    "activation": [layer("Activation", activation="tanh")],
    "dense": [layer("Dense", units=2, activation="sigmoid")],
    "two denses": [layer("Dense", units=2), layer("Activation", activation="relu"), layer("Dense", units=3)],
    "a recurrent layer": [layer("GRU", units=2, returnSequences=True)],
    "bidirectional": [layer("Bidirectional", layer=layer("LSTM", units=2, returnSequences=True))],
    "bidirectional sum": [layer("Bidirectional", layer=layer("GRU", units=2, returnSequences=True), mergeMode="sum")],
    "timeDistributed": [each_step(layer("Dense", units=2))],
    "another masking": [layer("Dense", units=3, activation="relu"), layer("Masking")],
    "a model": [model_of((7, 3), layer("Dense", units=3), layer("LSTM", units=2, returnSequences=True))],
    "a model in a model": [model_of((7, 3), model_of((7, 3), layer("GRU", units=2, returnSequences=True)), layer("Dense", units=2))],
    "a recurrent layer without sequences": [layer("SimpleRNN", units=2), layer("RepeatVector", n=3)],
    "a model without sequences": [model_of((7, 3), layer("LSTM", units=2)), layer("RepeatVector", n=3)],
}
for name, through in THROUGH.items():
    for mask, source in [("prefix", "embedding"), ("holes", "masking")]:
        for last in (True, False):
            graph = Family()
            [y] = sequence(graph, mask, source)
            for each in through:
                y = graph(each, y)
            if last:
                y = graph(layer("LSTM", units=3, returnSequences=mask == "prefix"), y)
            elif name in ("dropout", "activation"):
                y = graph(layer("Dense", units=2), y)
            case("cases", f"mask {mask} through {name} {'to LSTM' if last else 'to the loss'}", graph, y)
for mask in ("holes", "suffix"):
    graph = Family()
    [x] = sequence(graph, mask)
    y = graph(layer("Dense", units=2), graph(layer("Flatten"), graph(layer("LSTM", units=3, returnSequences=True), x)))
    case("cases", f"mask {mask} stopped by flatten", graph, y)
    for merge in ("Concatenate", "Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract"):
        graph = Family()
        [x] = sequence(graph, mask)
        a, b = graph(layer("Dense", units=2), x), graph(layer("GRU", units=2, returnSequences=True), x)
        y = graph(layer("LSTM", units=2), graph(layer(merge), a, b))
        case("cases", f"mask {mask} through {merge}", graph, y, *([0.4] if (merge, mask) == ("Concatenate", "holes") else []))

# ---- graphs: shared layers, models inside, several inputs and outputs

for which, (name, extra) in enumerate(CELLS):
    graph = Family()
    xs = [graph.input(7, 3), graph.input(4, 3), graph.input(1, 3)]
    shared = layer(name, units=3, **extra)
    ys = [graph(shared, xs[0]), graph(shared, xs[1], again=0), graph(shared, xs[2], again=0)]
    case("cases", f"{NAMES[which]} shared by three lengths", graph, graph(layer("Concatenate"), *ys))
    graph = Family()
    xs = [graph.input(7, x=MASKS["holes"], ids=11), graph.input(4, x=np.array(MASKS["suffix"])[:, :4], ids=11)]
    table = layer("Embedding", inputDim=11, outputDim=3, maskZero=True)
    a, b = graph(table, xs[0]), graph(table, xs[1], again=0)
    shared = layer("Bidirectional", layer=layer(name, units=2, **extra))
    ys = [graph(shared, a), graph(shared, b, again=2)]
    y = graph(layer("Dense", units=2), graph(layer("Subtract"), *ys))
    case("cases", f"siamese masked Bidirectional {NAMES[which]}", graph, y)
    inner = model_of((5, 3), layer(name, units=3, **extra, returnSequences=True), layer("Dense", units=3))
    outer = model_of((5, 3), inner, layer(name, units=3, **extra, returnSequences=True))
    graph = Family()
    x = graph.input(5, 3)
    a = graph(outer, x)
    b = graph(outer, a, again=0)
    y = graph(inner, b)
    case("cases", f"models two deep, one twice, {NAMES[which]}", graph, [a, y])
    # an encoder that is a model with states as outputs
    encoder = Family()
    _, *states = encoder(layer(name, units=3, **extra, returnState=True),
                         encoder(layer("Embedding", inputDim=11, outputDim=2, maskZero=True), encoder.input(7, ids=11)))
    for masked in (False, True):
        graph = Family()
        source = graph.input(7, x=MASKS["suffix"], ids=11)
        target = graph.input(5, x=[[1, 4, 2, 0, 0], [3, 0, 0, 0, 0], [5, 2, 4, 6, 1]], ids=7)
        by_name = graph.input(5, x=np.array([[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1] * 5])) if masked else None
        found = flat(graph(encoder.as_model(states), source))
        target = graph(layer("Embedding", inputDim=7, outputDim=2, maskZero=True), target)
        y = graph(layer(name, units=3, **extra, returnSequences=True), target, state=found, mask=by_name)
        y = graph(layer("Dense", units=2), y)
        case("cases", f"encoder model and decoder {NAMES[which]}{' with a mask by name' if masked else ''}", graph, y)
    graph = Family()
    x, z = graph.input(5, 3), graph.input(4)
    a = graph(layer(name, units=3, **extra), x)
    both = graph(layer("Concatenate"), a, graph(layer("Dense", units=2, activation="relu"), z))
    outs = [graph(layer("Dense", units=1), both), graph(layer("Dense", units=3, activation="softmax"), both), a]
    case("cases", f"two inputs, three outputs, {NAMES[which]}", graph, outs)
    graph = Family()
    x = graph.input(5, 3)
    y = graph(layer("Dense", units=3, trainable=False), x)
    y = graph(layer(name, units=3, **extra, trainable=False, returnSequences=True), y)
    y = graph(layer("Bidirectional", layer=layer(name, units=2, **extra)), y)
    case("cases", f"frozen layers below {NAMES[which]}", graph, y)

# ---- states from batch to batch

for which, (name, extra) in enumerate(CELLS):
    for config in [{}, {"returnSequences": True}, {"goBackwards": True, "returnSequences": True},
                   {"returnState": True, "returnSequences": True}, {"activation": "relu", "useBias": False}]:
        graph = Family(2)
        y = graph(layer(name, units=3, **extra, **config, stateful=True), graph.input(4, 2))
        case("stateful", " ".join([NAMES[which], *config]), graph, y)
    for mask, config in [("holes", {"returnSequences": True}), ("prefix", {}), ("suffix", {"goBackwards": True})]:
        graph = Family()
        [x] = sequence(graph, mask)
        y = graph(layer(name, units=3, **extra, **config, stateful=True), x)
        case("stateful", " ".join([NAMES[which], "mask", mask, *config]), graph, y)
    graph = Family(2)
    y = graph(layer(name, units=2, **extra, stateful=True, returnSequences=True), graph.input(4, 2))
    y = graph(layer(name, units=3, **extra, stateful=True), graph(layer("Dense", units=2, activation="tanh"), y))
    case("stateful", f"stack of {NAMES[which]}", graph, y)
    # with returnState, Keras' own compute_mask fails on a stateful one
    for mode, config, mask in [("concat", {"returnSequences": True}, None), ("sum", {}, "holes"), ("mul", {}, "suffix")]:
        graph = Family()
        [x] = sequence(graph, mask, "masking", 2)
        y = graph(layer("Bidirectional", layer=layer(name, units=2, **extra, **config, stateful=True), mergeMode=mode), x)
        case("stateful", " ".join(["Bidirectional", NAMES[which], mode, "mask", str(mask), *config]), graph, y)
    graph = Family(2)
    x, *state = sequence(graph, None, then=[(3,)] * (2 if name == "LSTM" else 1))
    y = graph(layer(name, units=3, **extra, stateful=True, returnState=True), x, state=state)
    case("stateful", f"{NAMES[which]} with initialState", graph, y)
    graph = Family(2)
    shared = layer(name, units=2, **extra, stateful=True, returnSequences=True)
    x = graph.input(4, 2)
    a = graph(shared, x)
    b = graph(shared, a, again=0)
    case("stateful", f"{NAMES[which]} shared, applied to its own output", graph, b)
    inner = Family(2)
    made_inside = inner(layer(name, units=2, **extra, stateful=True, returnSequences=True), inner.input(4, 2))
    inner.inputs[0]["batchSize"] = 2
    graph = Family(2)
    y = graph(layer("GRU", units=2, stateful=True), graph(inner.as_model(made_inside), graph.input(4, 2)))
    case("stateful", f"{NAMES[which]} in a model inside", graph, y)
for name, cells in STACKS.items():
    if isinstance(cells, list) or "cells" in cells["config"]:
        continue
    for mask in (None, "holes"):
        graph = Family()
        [x] = sequence(graph, mask, "masking", 2)
        y = graph(layer("RNN", cell=cells, stateful=True, returnSequences=True), x)
        case("stateful", f"rnn {name} mask {mask}", graph, y)

# ---- ten steps

OPTIMIZERS = {"adam": {"className": "Adam", "config": {"learningRate": 0.01}},
              "rmsprop": {"className": "RMSprop", "config": {"learningRate": 0.01}}}
SOFTMAX = [{"className": "CategoricalCrossentropy", "config": {}}]
SPARSE = [{"className": "SparseCategoricalCrossentropy", "config": {}}]
numbers = lambda *shapes: lambda rng: [normal(rng, shape) for shape in shapes]
one_hot = lambda batch, classes: lambda rng: [np.eye(classes)[rng.randint(0, classes, size=batch)]]
labels = lambda *shape: lambda rng: [rng.randint(0, 3, size=shape)]

for which, (name, extra) in enumerate(CELLS):
    for optimizer, spec in OPTIMIZERS.items():
        for mask in ("prefix", "holes"):
            graph = Family()
            [x] = sequence(graph, mask)
            y = graph(layer(name, units=3, **extra, returnSequences=True), x)
            y = graph(layer(name, units=2, **extra, returnSequences=True, goBackwards=True), y)
            y = graph(layer("Dense", units=2), y)
            case("trained", f"masked {mask} stack of {NAMES[which]} {optimizer}", graph, y, numbers((3, 7, 2)), spec)
        graph = Family()
        [x] = sequence(graph, "suffix")
        y = graph(layer("Bidirectional", layer=layer(name, units=2, **extra, returnSequences=True)), x)
        y = graph(layer("Dense", units=3, activation="softmax"), y)
        case("trained", f"Bidirectional {NAMES[which]} sampleWeight per step {optimizer}", graph, y, labels(3, 7), spec,
             loss=SPARSE, weighted=(3, 7))
        graph = Family()
        [x] = sequence(graph, "holes", "masking")
        y = graph(layer("Dense", units=3, activation="softmax"), graph(layer(name, units=3, **extra), x))
        case("trained", f"masked {NAMES[which]} classWeight {optimizer}", graph, y, one_hot(3, 3), spec, loss=SOFTMAX,
             class_weight={0: 0.5, 1: 2, 2: 1.25})
        graph = Family()
        [x] = sequence(graph, "holes")
        y = graph(layer("RNN", cell=[cell(name, 3, **extra), cell("GRU", 2)], returnSequences=True), x)
        case("trained", f"rnn of {NAMES[which]} and GRU cells sampleWeight {optimizer}", graph, y, numbers((3, 7, 2)), spec,
             weighted=(3, 7))
    inner = model_of((5, 3), layer(name, units=2, **extra, returnSequences=True, trainable=False), layer("Dense", units=3))
    frozen = Family()
    z = frozen(layer(name, units=3, **extra), frozen(inner, frozen.input(5, 3)))
    for way, config in [("an inner layer", {}), ("a whole model", {"trainable": False})]:
        graph = Family()
        y = graph(layer("Dense", units=2), graph(frozen.as_model(z, **config), graph.input(5, 3)))
        case("trained", f"frozen {way} {NAMES[which]}", graph, y, numbers((3, 2)), OPTIMIZERS["adam"])
    graph = Family()
    x = graph.input(5, 3)
    y = graph(layer("Bidirectional", layer=layer(name, units=2, **extra), trainable=False), x)
    z = graph(layer("Bidirectional", layer=layer(name, units=2, **extra, trainable=False)), x)
    y = graph(layer("Dense", units=2), graph(layer("Concatenate"), y, z))
    case("trained", f"frozen Bidirectional {NAMES[which]}", graph, y, numbers((3, 2)), OPTIMIZERS["rmsprop"])
    graph = Family()
    x = graph.input(5, 3)
    a, *_ = flat(graph(layer(name, units=3, **extra, returnSequences=True), x))
    b = graph(layer("Dense", units=1), graph(layer(name, units=2, **extra), a))
    case("trained", f"lossWeights {NAMES[which]}", graph, [a, b], numbers((3, 5, 3), (3, 1)), OPTIMIZERS["adam"],
         loss=[{"className": "MeanSquaredError", "config": {}}, {"className": "MeanAbsoluteError", "config": {}}],
         loss_weights=[0.25, 3.0])

# ---- all of them


def entry(place):
    kind, index = place
    name, graph, outputs, args, options = described[kind][index]
    try:
        return kind, *KINDS[kind](name, graph, outputs, *args, **options)
    except Exception as error:
        raise ValueError(f"golden: {kind}: {name}: {error}") from error


if __name__ == "__main__":
    places = [(kind, index) for kind in KINDS for index in range(len(described[kind]))]
    lines, refused, worst = {kind: [] for kind in KINDS}, [], (0.0, "")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for kind, found, far in pool.imap(entry, places, 4):
            worst = max(worst, (far, found["name"]))
            if far > TOLERANCES[kind]:
                refused.append(f"{kind}: {found['name']}: Keras' float32 is {far:.2g} from its float64; choose a milder case")
            lines[kind].append(found)
    if refused:
        sys.exit("golden: " + "\n".join(refused))
    write("keras_family.py", made_with("keras_family.py", "float64", steps=STEPS), **lines)
    print(f"float32 is at most {worst[0]:.2g} away ({worst[1]})")
