"""What keras.ops, merges under masks, Dot, Reshape and Permute compute, with all gradients -> keras_operations.json.

`ops`: one function each, with the gradient of sum(output * weights) by every operand. `models`: functional models in float64,
spelled as in keras_recurrent.json, with the loss and all gradients (masks are Keras' own). Torch backend: on ties max and min
split their gradient evenly, clip passes it at both ends.
"""

import json

from golden import array, f32, keras, made_with, normal, np, number, snake, stream, torch, write

keras.config.set_floatx("float64")

# ---- single operations: name, arguments as JSON, operands


def snaked(config):
    return {snake(key): tuple(value) if isinstance(value, list) else value for key, value in config.items()}


def operation(op, *operands, args=(), label="", **options):
    """An operand is an array or a number; args come after the operands, options are keyword arguments."""
    label = label or f"{op} {[list(np.shape(x)) for x in operands]} {list(args)} {json.dumps(options)}"
    rng = stream(label)
    tensors = [x if np.isscalar(x) else torch.tensor(np.asarray(x, np.float64), requires_grad=True) for x in operands]
    result = getattr(keras.ops, snake(op))(*tensors, *[tuple(a) if isinstance(a, list) else a for a in args],
                                           **snaked(options))
    result = result.to(torch.float64)
    weights = normal(rng, tuple(result.shape))
    gradients = None
    if result.requires_grad:
        (result * torch.tensor(weights)).sum().backward()
        gradients = [None if np.isscalar(x) else array(np.zeros(x.shape) if x.grad is None else x.grad.numpy())
                     for x in tensors]
    return {
        "name": label, "op": op, "args": list(args), "options": options,
        "operands": [number(x) if np.isscalar(x) else array(x) for x in operands],
        "output": array(result.detach().numpy()), "weights": array(weights), "gradients": gradients,
    }


rng = stream("operands")
draw = lambda *shape: normal(rng, shape)
positive = lambda *shape: f32(np.abs(draw(*shape)) + 0.25)
whole = lambda *shape: rng.randint(-2, 3, size=shape).astype(np.float64)

ops = []
for op in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
    for a, b in (((3, 5), (3, 5)), ((3, 7, 5), (5,)), ((3, 7, 5), (3, 1, 5)), ((3, 1, 5), (3, 7, 1)), ((3, 5), (1, 5)),
                 ((3, 7, 1, 5), (17, 1)), ((2, 3, 1, 2, 5), (2, 1, 3, 1, 5))):
        ops.append(operation(op, draw(*a), positive(*b)))
    ops.append(operation(op, whole(3, 7, 5), 1.0, label=f"{op} with a number"))
    ops.append(operation(op, 1.0, positive(3, 17), label=f"{op} with a number first"))
    ops.append(operation(op, whole(3, 17), whole(3, 17) + 3.5 * (op == "divide"), label=f"{op} with ties"))
for op in ("greater", "greaterEqual", "less", "lessEqual", "equal", "notEqual"):
    ops.append(operation(op, whole(3, 7, 5), whole(3, 1, 5)))
    ops.append(operation(op, whole(3, 17), 1.0, label=f"{op} with a number"))
    ops.append(operation(op, 1.0, whole(3, 17), label=f"{op} with a number first"))
for op in ("sum", "mean", "max", "min"):
    for axis in (1, 2, -1, [1, 2], [0, 1], 0, [0, 2], None):
        # On the torch backend max and min of all axes forget keepdims.
        for keepdims in (False, True) if axis is not None else (False,):
            ops.append(operation(op, whole(3, 7, 5) if op in ("max", "min") else draw(3, 7, 5), axis=axis,
                                 keepdims=keepdims))
    ops.append(operation(op, whole(2, 3, 2, 5, 3), axis=[1, 3]))
for op in ("exp", "abs", "square", "negative", "erf"):
    ops.append(operation(op, draw(3, 17)))
for op in ("log", "sqrt", "rsqrt", "log1p", "reciprocal"):
    ops.append(operation(op, positive(3, 17)))
ops.append(operation("abs", whole(3, 17), label="abs at 0"))
for exponent in (2, 3, 0.5, -1.5, 0, 1, 2.25):
    ops.append(operation("power", positive(3, 17), exponent, label=f"power {exponent}"))
ops.append(operation("power", draw(3, 17), 3, label="power of negatives"))
ops.append(operation("clip", whole(3, 17), args=[-1, 1]))
condition = (whole(3, 7, 5) > 0).astype(np.float64)


def chosen(label, c, a, b):
    """keras.ops.where wants a boolean condition; ours takes numbers."""
    tensors = [x if np.isscalar(x) else torch.tensor(x, requires_grad=True) for x in (a, b)]
    result = keras.ops.where(torch.tensor(c) != 0, *tensors)
    weights = normal(stream(label), tuple(result.shape))
    (result * torch.tensor(weights)).sum().backward()
    gradients = [array(np.zeros(c.shape))] + [None if np.isscalar(x) else array(x.grad.numpy()) for x in tensors]
    return {"name": label, "op": "where", "args": [], "options": {},
            "operands": [array(c)] + [number(x) if np.isscalar(x) else array(x) for x in (a, b)],
            "output": array(result.detach().numpy()), "weights": array(weights), "gradients": gradients}


ops.append(chosen("where", condition, draw(3, 7, 5), draw(3, 7, 5)))
ops.append(chosen("where, broadcast", condition, draw(3, 1, 5), draw(5)))
ops.append(chosen("where with a number", condition, draw(3, 7, 5), -2.0))
ops.append(chosen("where with a number first", condition, 0.5, draw(3, 7, 5)))
for a, b in (((3, 5), (5, 4)), ((3, 7, 5), (5, 17)), ((3, 7, 5), (3, 5, 4)), ((3, 2, 7, 5), (3, 2, 5, 7)),
             ((3, 2, 7, 5), (3, 1, 5, 3)), ((3, 1, 7, 5), (2, 5, 3)), ((7, 5), (3, 5, 2))):
    ops.append(operation("matmul", draw(*a), draw(*b)))
for axes in ([0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0]):
    ops.append(operation("transpose", draw(3, 7, 5), args=[axes]))
ops.append(operation("transpose", draw(2, 3, 1, 5, 4), args=[[0, 3, 1, 4, 2]]))
ops.append(operation("reshape", draw(3, 7, 6), args=[[-1, 7, 2, 3]]))
ops.append(operation("reshape", draw(3, 7, 6), args=[[-1, 14, 3]]))
ops.append(operation("squeeze", draw(3, 1, 5), args=[1]))
ops.append(operation("squeeze", draw(3, 5, 1), args=[-1]))
for axis in (1, 2, 3, -2):
    ops.append(operation("expandDims", draw(3, 7, 5), args=[axis]))
ops.append(operation("slice", draw(3, 7, 5), args=[[0, 2, 1], [3, 4, 3]]))
ops.append(operation("slice", draw(3, 7, 2, 5), args=[[0, 0, 1, 2], [3, 7, 1, 2]]))
for axis in (0, 1, 2, -1):
    ops.append(operation("flip", draw(3, 7, 5), args=[axis]))
ops.append(operation("flip", draw(3, 5), args=[1]))

# ---- models


def run(name, inputs, layers):
    """inputs: (shape, ids or None); layers: the calls as (className, config, from); the last is the output."""
    rng = stream(name)
    keras.utils.clear_session()
    given = [keras.Input(shape, dtype="int32" if ids else "float64") for shape, ids in inputs]
    tensors, used = list(given), []
    for class_name, config, source in layers:
        made = getattr(keras.layers, class_name)(**snaked(config))
        used.append(made)
        source = [tensors[k] for k in source]
        tensors.append(made(source if len(source) > 1 else source[0]))
    model = keras.Model(given, tensors[-1])
    # In the order of the calls: model.weights follows the depth of layers, which the operations on masks change.
    variables = [v for layer in used for v in layer.weights]
    weights = [normal(rng, tuple(v.shape), 0.5) for v in variables]
    for variable, weight in zip(variables, weights):
        variable.assign(weight)
    feeds = []
    for shape, ids in inputs:
        shape = (3, *(7 if d is None else d for d in shape))
        feeds.append(rng.randint(0, ids, size=shape).astype(np.int32) if ids else normal(rng, shape))
    x = [torch.tensor(feed) for feed in feeds]
    model.compile(loss="mean_squared_error", optimizer="sgd")
    output = model(x if len(x) > 1 else x[0], training=False)
    target = normal(rng, tuple(output.shape))
    loss = model.compute_loss(x=x, y=torch.tensor(target), y_pred=output, training=False)
    loss.backward()
    return {
        "name": name, "inputs": [{"shape": list(shape), "dtype": "int32" if ids else "float32"} for shape, ids in inputs],
        "calls": [{"layer": {"className": c, "config": config}, "from": list(source)} for c, config, source in layers],
        "symbolicShape": [None if d is None else int(d) for d in model.output_shape],
        "feeds": [array(feed, "int32" if ids else "float32") for feed, (_, ids) in zip(feeds, inputs)],
        "weights": [array(w) for w in weights], "output": array(output.detach().numpy()), "target": array(target),
        "lossValue": number(loss.item()),
        "gradients": [array(np.zeros(v.shape) if v.value.grad is None else v.value.grad.numpy())
                      for v in variables],
    }


models = []


def model(name, inputs, *layers):
    models.append(run(name, inputs, layers))


embed = lambda source, masked=True, units=4: ("Embedding", {"inputDim": 5, "outputDim": units, "maskZero": masked}, [source])
lstm = lambda source, sequences=True: ("LSTM", {"units": 4, "returnSequences": sequences}, [source])
ids = ([None], 5)

for merge in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
    model(f"{merge} of two masks", [ids, ids], embed(0), embed(1), (merge, {}, [2, 3]), lstm(4))
    model(f"{merge} of a mask and none", [ids, ids], embed(0), embed(1, False), (merge, {}, [2, 3]), lstm(4))
    model(f"{merge} of none and a mask", [ids, ids], embed(0, False), embed(1), (merge, {}, [2, 3]), lstm(4))
    model(f"{merge} of one mask", [ids], embed(0), lstm(1), (merge, {}, [1, 2]), lstm(3, False))
    model(f"{merge} of one mask, the loss sees it", [ids], embed(0), lstm(1), (merge, {}, [1, 2]))
    if merge != "Subtract":
        model(f"{merge} of three, two masks", [ids, ids, ids], embed(0), embed(1), embed(2, False),
              (merge, {}, [3, 4, 5]), lstm(6))
        model(f"{merge} of three masks", [ids, ids, ids], embed(0), embed(1), embed(2), (merge, {}, [3, 4, 5]), lstm(6))
for merge in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
    model(f"{merge} broadcasts one step", [([None, 3], None), ([1, 3], None)], ("Dense", {"units": 5}, [0]),
          ("Dense", {"units": 5}, [1]), (merge, {}, [2, 3]))
    model(f"{merge} broadcasts one feature", [([None, 3], None), ([None, 3], None)], lstm(0), ("Dense", {"units": 1}, [1]),
          (merge, {}, [2, 3]), lstm(4))
    model(f"{merge} of different ranks", [([None, 3], None), ([3], None)], lstm(0), ("Dense", {"units": 4}, [1]),
          (merge, {}, [2, 3]))
    model(f"{merge} of a vector and a sequence", [([3], None), ([None, 3], None)], ("Dense", {"units": 4}, [0]), lstm(1),
          (merge, {}, [2, 3]))
    model(f"{merge} of a mask and one step under its own", [ids, ([1], 5)], embed(0), embed(1), (merge, {}, [2, 3]), lstm(4))
model("Concatenate of two masks along time", [ids, ([5], 5)], embed(0), embed(1), ("Concatenate", {"axis": 1}, [2, 3]), lstm(4))
model("Concatenate of a mask and none along time", [ids, ([5], 5)], embed(0), embed(1, False),
      ("Concatenate", {"axis": 1}, [2, 3]), lstm(4))
model("Concatenate of none and a mask along time", [ids, ([5], 5)], embed(0, False), embed(1),
      ("Concatenate", {"axis": 1}, [2, 3]), lstm(4, False))
for normalize in (False, True):
    for a, b, axes in (((5,), (5,), 1), ((7, 5), (7, 5), 2), ((7, 5), (7, 3), 1), ((7, 5), (5, 3), [2, 1]), ((5, 7), (3, 5), [1, 2]),
                       ((5,), (7, 5), [1, 2]), ((7, 5), (5,), [2, 1]), ((7, 5), (7, 5), -1), ((2, 7, 5), (5, 3), [3, 1]),
                       ((2, 5, 3), (4, 5), [2, 2]), ((7, 5), (2, 5, 3), [2, 2])):
        model(f"Dot of {list(a)} and {list(b)} along {axes}{', normalized' if normalize else ''}",
              [(list(a), None), (list(b), None)], ("Dense", {"units": a[-1]}, [0]), ("Dense", {"units": b[-1]}, [1]),
              ("Dot", {"axes": axes, "normalize": normalize}, [2, 3]))
model("Dot of sequences", [([None, 3], None), ([None, 3], None)], lstm(0), ("Dense", {"units": 4}, [1]), ("Dot", {"axes": 1}, [2, 3]))
model("Dot drops masks", [([7], 5), ([7], 5)], embed(0), embed(1), ("Dot", {"axes": 2}, [2, 3]), lstm(4))
for target in ([14, 3], [-1, 2], [3, 2, 7], [-1], [42]):
    model(f"Reshape to {target}", [([7, 6], None)], ("Dense", {"units": 6}, [0]), ("Reshape", {"targetShape": target}, [1]))
model("Reshape of any length", [([None, 3], None)], ("LSTM", {"units": 6, "returnSequences": True}, [0]),
      ("Reshape", {"targetShape": [-1, 2, 3]}, [1]))
model("Reshape of any length to steps", [([None, 3], None)], ("LSTM", {"units": 6, "returnSequences": True}, [0]),
      ("Reshape", {"targetShape": [-1, 3]}, [1]), lstm(2))
model("Reshape drops the mask", [([7], 5)], embed(0), ("Reshape", {"targetShape": [7, 4]}, [1]), lstm(2))
for shape, dims in (([7, 5], [2, 1]), ([2, 7, 5], [3, 1, 2]), ([2, 7, 5], [1, 3, 2]), ([2, 7, 5], [2, 1, 3])):
    model(f"Permute {shape} to {dims}", [(shape, None)], ("Dense", {"units": 5}, [0]), ("Permute", {"dims": dims}, [1]))
model("Permute of any length", [([None, 3], None)], lstm(0), ("Permute", {"dims": [2, 1]}, [1]))
model("Permute drops the mask", [([7], 5)], embed(0), ("Permute", {"dims": [1, 2]}, [1]), lstm(2))

write("keras_operations.py", made_with("keras_operations.py", "float64"), ops=ops, models=models)
