"""nn.RNN, nn.LSTM and nn.GRU of PyTorch, their weights and gradients in Keras' layout and order -> torch_rnn.json.

loss = sum(output * outputGradient), in float64; a case that float32 cannot hold is refused, as in keras_layers.py.
PyTorch stacks gates in rows of [G*U, I] and has two biases:
  RNN, LSTM  one bias in Keras: the sum of the two. Either one's gradient is the gradient of the sum.
  GRU        gates r,z,n there, z,r,h in Keras; both biases stay, as the rows of [2, 3*U] (resetAfter: true).
LSTM's gates stand in the same order on both sides (i,f,g,o and i,f,c,o). One layer, one direction, zero initial state.
"""

import itertools

from golden import array, f32, made_with, normal, np, stream, torch, write

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
CLASS_NAMES = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
ORDER = {"rnn": [0], "lstm": [0, 1, 2, 3], "gru": [1, 0, 2]}


def reorder(cell, x):
    """Gate blocks of the first axis, from PyTorch's order to Keras'."""
    blocks = np.split(x, len(ORDER[cell]), axis=0)
    return np.concatenate([blocks[i] for i in ORDER[cell]], axis=0)


def to_keras(cell, w_ih, w_hh, b_ih, b_hh, join):
    """kernel [I, G*U], recurrent [U, G*U], bias; `join` makes one bias of two (values add, gradients are equal)."""
    kernel, recurrent = reorder(cell, w_ih).T, reorder(cell, w_hh).T
    if b_ih is None:
        return [kernel, recurrent]
    b_ih, b_hh = reorder(cell, b_ih), reorder(cell, b_hh)
    return [kernel, recurrent, np.stack([b_ih, b_hh]) if cell == "gru" else join(b_ih, b_hh)]


def same(a, b):
    if not np.allclose(a, b, rtol=1e-4, atol=1e-5):
        raise ValueError("golden: the two biases of one gate have different gradients")
    return a


#         units batch time inputs bias
SIZES = [(1, 1, 1, 1, True), (1, 1, 7, 3, True), (3, 1, 7, 5, True), (3, 3, 1, 1, True), (5, 3, 7, 3, True),
         (5, 1, 7, 1, False), (5, 3, 7, 5, False), (17, 1, 1, 3, True), (17, 3, 7, 5, True), (3, 3, 17, 3, True),
         (1, 3, 7, 1, False)]

TOLERANCE = 4e-6


def run(cell, values, x, output_gradient, dtype):
    """[output, states.., weight gradients in Keras' layout.., gradient of x]."""
    units, inputs = values[1].shape[1], values[0].shape[1]
    module = MODULES[cell](inputs, units, batch_first=True, bias=len(values) == 4, dtype=dtype)
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values):
            parameter.copy_(torch.tensor(value))
    x = torch.tensor(x, dtype=dtype, requires_grad=True)
    output, states = module(x)
    (output * torch.tensor(output_gradient, dtype=dtype)).sum().backward()
    states = [s.detach().numpy()[0] for s in (states if cell == "lstm" else [states])]
    gradients = [p.grad.numpy() for p in module.parameters()] + [None] * (4 - len(values))
    return output.detach().numpy(), states, to_keras(cell, *gradients, join=same), x.grad.numpy()


def distance(a, b):
    return np.abs(a - b).max() / max(np.abs(b).max(), 1e-3)


if __name__ == "__main__":
    cases = []
    worst = (0.0, "")
    for cell, (units, batch, time, inputs, bias) in itertools.product(MODULES, SIZES):
        name = f"{cell} units {units} batch {batch} time {time} inputs {inputs}" + ("" if bias else " useBias false")
        rng = stream(name)
        gates = len(ORDER[cell])
        shapes = [(gates * units, inputs), (gates * units, units), *[(gates * units,)] * (2 if bias else 0)]
        # multiples of 1/1024: the sum of two biases is a float32 as well
        values = [np.round(rng.normal(size=shape) * 0.5 * 1024) / 1024 for shape in shapes]
        x = normal(rng, (batch, time, inputs))
        output_gradient = normal(rng, (batch, time, units))
        weights = to_keras(cell, *values, *[None] * (4 - len(values)), join=np.add)
        if not all(np.array_equal(w, f32(w)) for w in weights):
            raise ValueError(f"golden: {name}: a weight is not a float32")

        output, states, gradients, dx = run(cell, values, x, output_gradient, torch.float64)
        single = run(cell, values, x, output_gradient, torch.float32)
        pairs = [(single[0], output), (single[3], dx), *zip(single[1], states), *zip(single[2], gradients)]
        far = max(distance(a, b) for a, b in pairs)
        worst = max(worst, (far, name))
        if far > TOLERANCE:
            raise ValueError(f"golden: {name}: PyTorch's float32 is {far:.2g} from its float64; choose a milder case")
        cases.append({
            "name": name,
            "cell": cell,
            "layers": [{"className": CLASS_NAMES[cell], "config": {
                "units": units, "useBias": bias, "returnSequences": True, "inputShape": [time, inputs]}}],
            "units": units,
            "input": array(x, "float32"),
            "weights": [array(w, name=n) for w, n in zip(weights, ["kernel", "recurrent_kernel", "bias"])],
            "output": array(output),
            "states": [array(s) for s in states],
            "outputGradient": array(output_gradient, "float32"),
            "gradients": [array(g) for g in gradients],
            "inputGradient": array(dx),
        })

    header = made_with("torch_rnn.py", "float64")
    header["made_with"].pop("keras")
    write("torch_rnn.py", header, cases=cases)
    print(f"PyTorch's float32 is at most {worst[0]:.1e} from its float64: {worst[1]}")
