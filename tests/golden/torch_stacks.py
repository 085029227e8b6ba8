"""Stacks of nn.RNN, nn.LSTM and nn.GRU: one to three layers, one and both directions, in Keras' layout -> torch_stacks.json.

loss = mean((output - target)^2), in float64, gradients of all weights. PyTorch's bidirectional layer joins both directions along
the features, as Keras' Bidirectional with merge_mode "concat" does; weights come layer by layer, forward then backward.
"""

import itertools

from golden import array, f32, made_with, normal, np, stream, torch, write
from torch_rnn import MODULES, ORDER, distance, same, to_keras

TOLERANCE = 4e-6


def run(cell, layers, both, values, x, target, dtype):
    units, inputs = values[1].shape[1], values[0].shape[1]
    module = MODULES[cell](inputs, units, num_layers=layers, bidirectional=both, batch_first=True, dtype=dtype)
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values):
            parameter.copy_(torch.tensor(value))
    output, _ = module(torch.tensor(x, dtype=dtype))
    loss = ((output - torch.tensor(target, dtype=dtype)) ** 2).mean()
    loss.backward()
    gradients = [p.grad.numpy() for p in module.parameters()]
    return output.detach().numpy(), loss.item(), groups(cell, gradients, same)


def groups(cell, values, join):
    """Every four arrays of a layer and direction as Keras' kernel, recurrent kernel and bias."""
    return [w for i in range(0, len(values), 4) for w in to_keras(cell, *values[i:i + 4], join=join)]


cases = []
for cell, layers, both in itertools.product(MODULES, [1, 2, 3], [False, True]):
    for units, batch, time, inputs in [(1, 3, 7, 3), (3, 1, 7, 5), (5, 3, 1, 1)]:
        name = f"{cell} layers {layers} {'both ways' if both else 'one way'} units {units} batch {batch} time {time} inputs {inputs}"
        rng = stream(name)
        gates = len(ORDER[cell])
        shapes = []
        for layer in range(layers):
            width = inputs if layer == 0 else units * (2 if both else 1)
            shapes += [(gates * units, width), (gates * units, units), (gates * units,), (gates * units,)] * (2 if both else 1)
        values = [np.round(rng.normal(size=shape) * 0.5 * 1024) / 1024 for shape in shapes]
        x = normal(rng, (batch, time, inputs))
        target = normal(rng, (batch, time, units * (2 if both else 1)))
        weights = groups(cell, values, np.add)
        if not all(np.array_equal(w, f32(w)) for w in weights):
            raise ValueError(f"golden: {name}: a weight is not a float32")
        output, loss, gradients = run(cell, layers, both, values, x, target, torch.float64)
        single = run(cell, layers, both, values, x, target, torch.float32)
        far = max(distance(a, b) for a, b in [(single[0], output), *zip(single[2], gradients)])
        if far > TOLERANCE:
            raise ValueError(f"golden: {name}: PyTorch's float32 is {far:.2g} from its float64; choose a milder case")
        cases.append({
            "name": name, "cell": cell, "layers": layers, "both": both, "units": units,
            "input": array(x, "float32"), "target": array(target, "float32"),
            "weights": [array(w) for w in weights],
            "output": array(output), "lossValue": loss, "gradients": [array(g) for g in gradients],
        })

header = made_with("torch_stacks.py", "float64")
header["made_with"].pop("keras")
write("torch_stacks.py", header, cases=cases)
