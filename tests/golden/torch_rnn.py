"""nn.RNN, nn.LSTM and nn.GRU of PyTorch, their weights and gradients in Keras' layout and order -> torch_rnn.json.

loss = sum(output * outputGradient), all in float64. PyTorch stacks gates in rows of [G*U, I] and has two biases:
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
    if not np.allclose(a, b, rtol=1e-12, atol=1e-14):
        raise ValueError("golden: the two biases of one gate have different gradients")
    return a


#         units batch time inputs bias
SIZES = [(1, 1, 1, 1, True), (1, 3, 7, 3, True), (3, 1, 7, 5, True), (3, 3, 1, 1, True), (5, 3, 7, 3, True),
         (5, 1, 7, 1, False), (5, 3, 7, 5, False), (17, 1, 1, 3, True), (17, 3, 7, 5, True), (3, 3, 17, 3, True),
         (1, 3, 7, 1, False)]

cases = []
for cell, (units, batch, time, inputs, bias) in itertools.product(MODULES, SIZES):
    name = f"{cell} units {units} batch {batch} time {time} inputs {inputs}" + ("" if bias else " useBias false")
    rng = stream(name)
    module = MODULES[cell](inputs, units, batch_first=True, bias=bias, dtype=torch.float64)
    with torch.no_grad():
        for parameter in module.parameters():
            # multiples of 1/1024: the sum of two biases is a float32 as well
            values = np.round(rng.normal(size=tuple(parameter.shape)) * 0.5 * 1024) / 1024
            parameter.copy_(torch.tensor(values))
    x = torch.tensor(normal(rng, (batch, time, inputs)), requires_grad=True)
    output, states = module(x)
    output_gradient = normal(rng, tuple(output.shape))
    (output * torch.tensor(output_gradient)).sum().backward()

    parameters = list(module.parameters()) + [None] * (0 if bias else 2)
    values = [None if p is None else p.detach().numpy() for p in parameters]
    gradients = [None if p is None else p.grad.numpy() for p in parameters]
    weights = to_keras(cell, *values, join=np.add)
    if not all(np.array_equal(w, f32(w)) for w in weights):
        raise ValueError(f"golden: {name}: a weight is not a float32")
    names = ["kernel", "recurrent_kernel", "bias"]
    cases.append({
        "name": name,
        "cell": cell,
        "layers": [{"className": CLASS_NAMES[cell], "config": {
            "units": units, "useBias": bias, "returnSequences": True, "inputShape": [time, inputs]}}],
        "units": units,
        "input": array(x.detach().numpy(), "float32"),
        "weights": [array(w, name=n) for w, n in zip(weights, names)],
        "output": array(output.detach().numpy()),
        "states": [array(s.detach().numpy()[0]) for s in (states if cell == "lstm" else [states])],
        "outputGradient": array(output_gradient),
        "gradients": [array(g) for g in to_keras(cell, *gradients, join=same)],
        "inputGradient": array(x.grad.numpy()),
    })

header = made_with("torch_rnn.py", "float64")
header["made_with"].pop("keras")
write("torch_rnn.py", header, cases=cases)
