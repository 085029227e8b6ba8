"""What Attention, AdditiveAttention and MultiHeadAttention compute, with all gradients -> keras_attention.json.

Functional models: inputs are tensors 0, 1, …; each call's outputs follow. Masks are Keras' own, also where MultiHeadAttention takes
them from its inputs. The loss is the sum of the mean squared errors of all outputs; gradients in the order of the calls. Float64, but for
Attention under masks: it hides scores by adding -1e9, which only float32 makes all alike for a query that sees nothing.
`training`: losses and weights after five steps of SGD with momentum. Where a query of MultiHeadAttention sees nothing, Keras' backends agree
on the output, a mean of all values, but not on the gradients: TensorFlow, JAX and NumPy put a number in the place of hidden scores, torch
adds it to them and lets gradients through that have no effect. Here torch does as the other three.
"""

from golden import array, keras, keras_layer, made_with, normal, np, number, snake, stream, torch, write
from keras.src import backend

SIZES = {None: 7}


def dot_product_attention(query, key, value, bias=None, mask=None, scale=None, is_causal=False, flash_attention=None,
                          attn_logits_soft_cap=None):
    """As keras/src/backend/tensorflow/nn.py and numpy/nn.py have it."""
    logits = torch.einsum("BTNH,BSNH->BNTS", query, key) * scale
    if is_causal:
        causal = torch.ones(logits.shape[-2:], dtype=torch.bool).tril()
        mask = causal if mask is None else torch.logical_and(mask, causal)
    if mask is not None:
        logits = torch.where(mask, logits, -0.7 * torch.finfo(logits.dtype).max)
    return torch.einsum("BNTS,BSNH->BTNH", torch.softmax(logits, -1), value)


backend.nn.dot_product_attention = dot_product_attention


def options_of(options, tensors):
    def tensor(value):
        if isinstance(value, list):
            return [tensor(each) for each in value]
        return tensors[value] if isinstance(value, int) and not isinstance(value, bool) else value

    return {snake(key): tensor(value) for key, value in options.items()}


def config_of(config):
    made = {snake(key): tuple(value) if isinstance(value, list) else value for key, value in config.items()}
    if "layer" in made:
        made["layer"] = keras_layer(made["layer"])
    return made


def ids_of(rng, shape, limit, empty):
    """Ids of which some are 0; no row is without another, unless it may be."""
    ids = rng.randint(0, limit, size=shape).astype(np.int32)
    for row in ids:
        if not empty and not row.any():
            row[-1] = 1
    if empty:
        ids[0] = 0
    return ids


def built(name, inputs, calls, outputs, floatx, batch, empty):
    keras.config.set_floatx(floatx)
    keras.utils.clear_session()
    rng = stream(name)
    given = [keras.Input(shape, dtype="int32" if ids else floatx) for shape, ids in inputs]
    tensors, used = list(given), []
    for class_name, config, source, *rest in calls:
        options = rest[0] if rest else {}
        made = used[config] if isinstance(config, int) else getattr(keras.layers, class_name)(**config_of(config))
        used.append(made)
        given_to = [tensors[k] for k in source]
        args = given_to if class_name == "MultiHeadAttention" else [given_to if len(given_to) > 1 else given_to[0]]
        result = made(*args, **options_of(options, tensors))
        tensors += result if isinstance(result, (list, tuple)) else [result]
    model = keras.Model(given, [tensors[k] for k in outputs])
    layers = list(dict.fromkeys(used))
    variables = [v for layer in layers for v in layer.weights]
    # Scores of about one: weights of attention near 0 and 1 have gradients that float32 knows badly.
    weights = [normal(rng, tuple(v.shape), min(0.5, v.shape[0] ** -0.5) if len(v.shape) > 1 else 0.5) for v in variables]
    for variable, weight in zip(variables, weights):
        variable.assign(weight)

    def feed():
        arrays = []
        for shape, ids in inputs:
            full = (batch, *(SIZES[None] if d is None else d for d in shape))
            arrays.append(ids_of(rng, full, ids, empty) if ids else normal(rng, full))
        return arrays

    spelled = [
        {"layer": {"className": c, "config": config} if not isinstance(config, int) else config, "from": list(source),
         "options": rest[0] if rest else {}}
        for c, config, source, *rest in calls
    ]
    described = {
        "name": name, "floatx": floatx,
        "inputs": [{"shape": list(shape), "dtype": "int32" if ids else "float32"} for shape, ids in inputs],
        "calls": spelled, "outputs": list(outputs), "weights": [array(w) for w in weights],
        "weightPaths": ["/".join(v.path.split("/")[1:]) for v in variables],
    }
    return rng, model, variables, feed, described


def run(name, inputs, *calls, outputs=None, floatx="float64", batch=3, empty=False):
    outputs = outputs or [len(inputs) + len(calls) - 1]
    rng, model, variables, feed, described = built(name, inputs, calls, outputs, floatx, batch, empty)
    feeds = feed()
    x = [torch.tensor(np.asarray(each, np.int32 if ids else floatx)) for each, (_, ids) in zip(feeds, inputs)]
    model.compile(loss=["mean_squared_error"] * len(outputs), optimizer="sgd")
    found = model(x, training=False)
    found = found if isinstance(found, (list, tuple)) else [found]
    targets = [normal(rng, tuple(each.shape)) for each in found]
    loss = model.compute_loss(x=x, y=[torch.tensor(np.asarray(t, floatx)) for t in targets], y_pred=list(found),
                              training=False)
    if not torch.isfinite(loss):
        raise ValueError(f"{name}: the loss is {loss.item()}")
    loss.backward()
    slopes = [array(np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy()) for v in variables]
    return {
        **described,
        "feeds": [array(each, "int32" if ids else "float32") for each, (_, ids) in zip(feeds, inputs)],
        "found": [array(each.detach().numpy()) for each in found], "targets": [array(t) for t in targets],
        "lossValue": number(loss.item()), "gradients": slopes,
    }


def train(name, inputs, *calls):
    rng, model, variables, feed, described = built(name, inputs, calls, [len(inputs) + len(calls) - 1], "float32", 3, False)
    model.compile(loss="mean_squared_error", optimizer=keras.optimizers.SGD(0.1, momentum=0.9))
    batches, losses = [], []
    for _ in range(5):
        feeds = feed()
        x = [np.asarray(each, np.int32 if ids else "float32") for each, (_, ids) in zip(feeds, inputs)]
        target = normal(rng, (3, *(SIZES[None] if d is None else d for d in model.output_shape[1:])))
        losses.append(number(model.train_on_batch(x, target.astype("float32"))))
        batches.append({"feeds": [array(e, "int32" if ids else "float32") for e, (_, ids) in zip(feeds, inputs)],
                        "target": array(target)})
    return {**described, "batches": batches, "losses": losses,
            "weightsAfter": [array(v.numpy() if hasattr(v, "numpy") else v.value.detach().numpy()) for v in variables]}


cases = []


def case(*args, **options):
    cases.append(run(*args, **options))


seq = lambda steps, width: ([steps, width], None)
ids = lambda steps=7, limit=4: ([steps], limit)
embed = lambda source, units=5, masked=True: ("Embedding", {"inputDim": 6, "outputDim": units, "maskZero": masked}, [source])
dense = lambda source, units=5: ("Dense", {"units": units}, [source])
flat = lambda source: ("Flatten", {}, [source])

# ---- attention and additiveAttention: all modes, sizes, with and without a key

KINDS = [
    ("Attention", {}), ("Attention", {"useScale": True}), ("Attention", {"scoreMode": "concat"}),
    ("Attention", {"scoreMode": "concat", "useScale": True}), ("AdditiveAttention", {}),
    ("AdditiveAttention", {"useScale": False}),
]
for class_name, config in KINDS:
    label = f"{class_name} {config}"
    for size, queries, keys in ((1, 1, 1), (3, 5, 3), (5, 3, 17), (17, 1, 5)):
        case(f"{label} of {size} features, {queries} queries, {keys} keys", [seq(queries, size), seq(keys, size)],
             dense(0, size), dense(1, size), (class_name, config, [2, 3]))
    case(f"{label} with a key", [seq(5, 3), seq(7, 2), seq(7, 3)], dense(0, 3), dense(1, 4), dense(2, 3),
         (class_name, config, [3, 4, 5], {"returnAttentionScores": True}), flat(7), outputs=[6, 8])
    case(f"{label} causal", [seq(None, 3)], dense(0), (class_name, config, [1, 1], {"useCausalMask": True}))
    case(f"{label} causal, more keys than queries, scores", [seq(3, 3), seq(5, 3)], dense(0), dense(1),
         (class_name, config, [2, 3], {"useCausalMask": True, "returnAttentionScores": True}), flat(5), outputs=[4, 6])
    case(f"{label} of embeddings under masks", [ids(5), ids(7)], embed(0), embed(1), (class_name, config, [2, 3]),
         floatx="float32")
    case(f"{label} under masks, causal", [ids(7)], embed(0), (class_name, config, [1, 1], {"useCausalMask": True}),
         floatx="float32")
    case(f"{label} under masks given by name", [seq(5, 3), seq(7, 3), ([5], 2), ([7], 2)], dense(0), dense(1),
         (class_name, config, [4, 5], {"mask": [2, 3]}), ("LSTM", {"units": 3, "returnSequences": True}, [6]),
         floatx="float32")
case("Attention under the mask of the query alone", [seq(5, 3), seq(7, 3), ([5], 2)], dense(0), dense(1),
     ("Attention", {}, [3, 4], {"mask": [2, None]}), floatx="float32")
case("Attention under the mask of the value alone", [ids(5), ids(7)], embed(0), embed(1),
     ("Attention", {}, [2, 3], {"mask": [None, 1]}), floatx="float32")
case("Attention where a sample has no keys", [ids(5), ids(7)], embed(0, masked=False), embed(1),
     ("Attention", {"useScale": True}, [2, 3]), floatx="float32", empty=True)
case("AdditiveAttention where a sample has no keys", [ids(5), ids(7)], embed(0, masked=False), embed(1),
     ("AdditiveAttention", {}, [2, 3], {"returnAttentionScores": True}), flat(5), outputs=[4, 6], floatx="float32", empty=True)
for class_name, config in KINDS:
    case(f"{class_name} {config} where a sample has no keys, by name, values of all kinds", [seq(5, 3), seq(7, 3), ([7], 2)],
         dense(0), dense(1), (class_name, config, [3, 4], {"mask": [None, 2], "useCausalMask": True}), floatx="float32",
         empty=True)
case("Attention hands the mask of its query on", [ids(5), ids(7)], embed(0), embed(1), ("Attention", {}, [2, 3]),
     ("GRU", {"units": 3, "returnSequences": True}, [4]), floatx="float32")
case("Attention of recurrent layers", [seq(None, 3), seq(None, 2)],
     ("LSTM", {"units": 5, "returnSequences": True}, [0]), ("GRU", {"units": 5, "returnSequences": True}, [1]),
     ("Attention", {}, [2, 3]))
case("Attention, shared", [seq(5, 3), seq(7, 3)], dense(0), dense(1), ("Attention", {"useScale": True}, [2, 3]),
     ("Attention", 2, [3, 2]), outputs=[4, 5])

# ---- multiHeadAttention

mha = lambda config, source, options=None: ("MultiHeadAttention", config, source, options or {})
for heads, key, value, width in ((1, 1, 1, 1), (3, 5, None, 3), (2, 3, 17, 5), (5, 1, 3, 17), (17, 1, None, 3)):
    config = {"numHeads": heads, "keyDim": key, "valueDim": value}
    case(f"MultiHeadAttention {config} of {width} features", [seq(5, width), seq(3, width)], mha(config, [0, 1]))
two = {"numHeads": 2, "keyDim": 3}
case("MultiHeadAttention without bias", [seq(5, 3)], mha({**two, "useBias": False}, [0, 0]))
case("MultiHeadAttention with a key and widths of all kinds", [seq(5, 3), seq(7, 2), seq(7, 4)],
     mha({**two, "valueDim": 5}, [0, 1, 2], {"returnAttentionScores": True}), flat(4), outputs=[3, 5])
case("MultiHeadAttention to another width", [seq(5, 3)], mha({**two, "outputShape": 4}, [0, 0]))
case("MultiHeadAttention to two axes", [seq(5, 3)], mha({**two, "outputShape": [2, 3]}, [0, 0]))
case("MultiHeadAttention with a gate", [seq(5, 3), seq(7, 2)], mha({**two, "useGate": True, "valueDim": 5}, [0, 1]))
case("MultiHeadAttention, axes named", [seq(5, 3)], mha({**two, "attentionAxes": [1]}, [0, 0]))
for options in ({}, {"returnAttentionScores": True}):
    more = [flat(2)] if options else []
    outputs = [1, 3] if options else [1]
    label = ", scores" if options else ""
    case(f"MultiHeadAttention causal{label}", [seq(None, 3)] if not options else [seq(7, 3)],
         mha(two, [0, 0], {"useCausalMask": True, **options}), *more, outputs=outputs)
    case(f"MultiHeadAttention with a sliding window{label}", [seq(7, 3)],
         mha({**two, "slidingWindow": 3}, [0, 0], options), *more, outputs=outputs)
    case(f"MultiHeadAttention with a causal sliding window{label}", [seq(7, 3)],
         mha({**two, "slidingWindow": 2}, [0, 0], {"useCausalMask": True, **options}), *more, outputs=outputs)
    for steps, shape in ((7, [5, 7]), (1, [5, 1]), (7, [1, 7]), (7, [2, 5, 7]), (7, [1, 5, 7])):
        seen = {"attentionMask": 2, **options}
        case(f"MultiHeadAttention under an attention mask {shape}{label}", [seq(5, 3), seq(steps, 3), (shape, 4)],
             mha(two, [0, 1], seen), *([flat(4)] if options else []), outputs=[3, 5] if options else [3], empty=True)
    for causal in (False, True):
        given = {"useCausalMask": causal, **options}
        case(f"MultiHeadAttention of embeddings under masks, causal {causal}{label}", [ids(5), ids(7)], embed(0), embed(1),
             mha(two, [2, 3], given), *([flat(5)] if options else []), outputs=[4, 6] if options else [4])
        case(f"MultiHeadAttention of an embedding to itself, causal {causal}{label}", [ids(7)], embed(0),
             mha(two, [1, 1, 1], given), *([flat(3)] if options else []), outputs=[2, 4] if options else [2])
    case(f"MultiHeadAttention under masks of value and key by name{label}", [seq(5, 3), seq(7, 3), ([7], 3), ([7], 3)],
         mha(two, [0, 1, 1], {"valueMask": 2, "keyMask": 3, **options}), *([flat(5)] if options else []),
         outputs=[4, 6] if options else [4])
case("MultiHeadAttention under the mask of a key that is the value", [seq(5, 3), seq(7, 3), ([7], 3)],
     mha(two, [0, 1], {"keyMask": 2}))
case("MultiHeadAttention under masks of embeddings and one of attention", [ids(5), ids(7), ([5, 7], 4)], embed(0), embed(1),
     mha(two, [3, 4], {"attentionMask": 2, "returnAttentionScores": True}), flat(6), outputs=[5, 7])
case("MultiHeadAttention at inference, made with dropout", [ids(5), ids(7)], embed(0), embed(1),
     mha({**two, "dropout": 0.5}, [2, 3]))
case("MultiHeadAttention hands the mask of its query on", [ids(5), ids(7)], embed(0), embed(1), mha(two, [2, 3]),
     ("GRU", {"units": 3, "returnSequences": True}, [4]))
case("MultiHeadAttention takes the masks from its inputs", [ids(7)], embed(0), mha(two, [1, 1]), ("Add", {}, [1, 2]),
     ("GRU", {"units": 3, "returnSequences": True}, [3]))
case("MultiHeadAttention twice over one embedding", [ids(7)], embed(0), mha(two, [1, 1]), mha(two, [1, 1]), ("Add", {}, [2, 3]))
case("MultiHeadAttention beside a recurrent layer", [ids(7)], embed(0),
     ("GRU", {"units": 5, "returnSequences": True}, [1]), mha(two, [1, 1]), ("Concatenate", {}, [2, 3]))
case("A recurrent layer beside MultiHeadAttention", [ids(7)], embed(0), mha(two, [1, 1]),
     ("GRU", {"units": 5, "returnSequences": True}, [1]), ("Concatenate", {}, [3, 2]), outputs=[4, 3])
case("MultiHeadAttention, a block of a transformer", [ids(7)], embed(0), mha(two, [1, 1]), ("Add", {}, [1, 2]),
     ("LayerNormalization", {}, [3]), ("Dense", {"units": 6, "activation": "relu"}, [4]), ("Dense", {"units": 5}, [5]),
     ("Add", {}, [4, 6]), ("LayerNormalization", {}, [7]))
block = [embed(0), mha(two, [1, 1]), ("Add", {}, [1, 2]), ("LayerNormalization", {}, [3])]
case("MultiHeadAttention before a mean under the mask that the graph was drawn with", [ids(7)], *block,
     ("GlobalAveragePooling1D", {}, [4]))
case("MultiHeadAttention before sums and a recurrent layer in both directions", [ids(7)], *block,
     ("Add", {}, [4, 2]), ("LayerNormalization", {}, [5]), ("Bidirectional", {"layer": {"className": "GRU", "config": {"units": 2}}}, [6]))
case("MultiHeadAttention, two blocks, and what is left is joined along time", [ids(7)], *block, mha(two, [4, 4]),
     ("Concatenate", {"axis": 1}, [4, 5]), ("LSTM", {"units": 3, "returnSequences": True}, [6]))
case("MultiHeadAttention before attention", [ids(7), ids(5)], embed(0), embed(1), mha(two, [2, 3]), ("Attention", {}, [2, 4]),
     ("Attention", {}, [4, 3]), ("Add", {}, [5, 6]), ("GRU", {"units": 3, "returnSequences": True}, [7]), floatx="float32")
case("MultiHeadAttention, regularized", [seq(5, 3), seq(7, 2)],
     mha({**two, "kernelRegularizer": "l2", "biasRegularizer": "l1", "activityRegularizer": "l1"}, [0, 1]))

training = [
    train("Attention", [seq(5, 3), seq(7, 2)], dense(0), dense(1), ("Attention", {"useScale": True}, [2, 3])),
    train("Attention, concat", [seq(5, 3), seq(7, 2)], dense(0), dense(1),
          ("Attention", {"useScale": True, "scoreMode": "concat"}, [2, 3])),
    train("AdditiveAttention", [ids(5), ids(7)], embed(0), embed(1), ("AdditiveAttention", {}, [2, 3])),
    train("MultiHeadAttention", [ids(7)], embed(0), mha(two, [1, 1], {"useCausalMask": True}), dense(2)),
    train("MultiHeadAttention with a gate", [seq(5, 3), seq(7, 2)], mha({**two, "useGate": True, "valueDim": 5}, [0, 1])),
    train("MultiHeadAttention, constrained", [seq(5, 3), seq(7, 2)],
          mha({**two, "kernelConstraint": "unit_norm", "biasConstraint": "non_neg"}, [0, 1])),
]

write("keras_attention.py", made_with("keras_attention.py", "float64, or as each case says"), cases=cases, training=training)
