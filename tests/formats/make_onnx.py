"""ONNX graphs as PyTorch exports them, and by hand, with their outputs in onnxruntime: onnx_hand.json, onnx_torch.json; and ONNX's own
node tests of recurrent operators, with their own numbers: onnx_node.json; files for one number of samples: onnx_samples.json.

  python tests/formats/make_onnx.py [hand] [node] [torch] [samples]   (torch 2.13.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.31.1, numpy 2.4.6)

Arrays are base64 of little-endian numbers, samples first: an input or output that has them on another axis says which, and is moved.
"""

import base64
import io
import json
import logging
import pathlib
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)
HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(7)
cases = []


def packed(array):
    array = np.ascontiguousarray(array)
    kind = "int32" if array.dtype.kind in "iub" else "float32"
    return {"shape": list(array.shape), "dtype": kind, "data": base64.b64encode(array.astype("<i4" if kind == "int32" else "<f4").tobytes()).decode()}


def add(name, data, feeds, samples=None, unmerged=None, refused=None, rename=None):
    """feeds: the graph's inputs as it wants them. samples: axis of the samples, by input or output, where it is not the first."""
    samples = samples or {}
    onnx.checker.check_model(onnx.load_model_from_string(data))
    case = {"name": name, "model": base64.b64encode(data).decode()}
    if refused:
        case["refused"] = refused
        cases.append(case)
        return
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    feeds = dict(zip(names, feeds))
    outputs = session.run(None, feeds)
    order = [each.name for each in session.get_outputs()]
    front = lambda key, array: np.moveaxis(array, samples.get(key, 0), 0)
    case["inputs"] = [packed(front(k, feeds[key])) for k, key in enumerate(names)]
    shaped = unmerged or (lambda k, array: array)
    case["outputs"] = [packed(front(f"out{k}", shaped(k, each))) for k, each in enumerate(outputs)]
    cases.append(case)


# ------------------------------------------------------------------------------------------------------------- by PyTorch


def export(name, module, inputs, dynamic, fixed=False, **more):
    """`dynamic`: for each input the axes of any size. `fixed`: not by the newer exporter, which writes one of them as a number."""
    module = module.eval()
    feeds = [each.numpy() for each in inputs]
    names = [f"in{k}" for k in range(len(inputs))]
    buffer = io.BytesIO()
    torch.onnx.export(module, tuple(inputs), buffer, dynamo=False, opset_version=17, input_names=names, dynamic_axes=dict(zip(names, dynamic)))
    add(f"torch {name}", buffer.getvalue(), feeds, **more)
    shapes = None if fixed or not any(dynamic) else tuple({axis: torch.export.Dim.AUTO for axis in each} for each in dynamic)
    program = torch.onnx.export(module, tuple(inputs), dynamo=True, opset_version=18, input_names=names, dynamic_shapes=shapes, verbose=False)
    add(f"torch {name}, dynamo", bare(program.model_proto).SerializeToString(), feeds, **more)


def bare(model):
    """Without the notes on where each node comes from, which are most of the bytes."""
    for each in [model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        each.ClearField("doc_string")
        each.ClearField("metadata_props")
    return model


class Sequence(nn.Module):
    """A recurrent layer and what is made of its outputs."""

    def __init__(self, rnn, head=None, then=lambda y: y):
        super().__init__()
        self.rnn, self.head, self.then = rnn, head or nn.Identity(), then

    def forward(self, x):
        return self.head(self.then(self.rnn(x)[0]))


class Tagger(nn.Module):
    def __init__(self, cell, size=7, **options):
        super().__init__()
        self.embedding = nn.Embedding(11, 5)
        self.rnn = cell(5, size, batch_first=True, **options)
        self.fc = nn.Linear(size * (2 if options.get("bidirectional") else 1), 4)

    def forward(self, ids):
        y, _ = self.rnn(self.embedding(ids))
        return F.softmax(self.fc(y), dim=-1)


class LanguageModel(nn.Module):
    """As pytorch/examples/word_language_model: steps first, decoded in one row."""

    def __init__(self, rnn):
        super().__init__()
        self.encoder, self.rnn, self.decoder = nn.Embedding(13, 6), rnn, nn.Linear(5, 13)

    def forward(self, ids):
        y, _ = self.rnn(self.encoder(ids))
        return F.log_softmax(self.decoder(y).view(-1, 13), dim=1)


class States(nn.Module):
    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x, h, c=None):
        y, last = self.rnn(x, h if c is None else (h, c))
        return (y, *last) if isinstance(last, tuple) else (y, last)


class Attention(nn.Module):
    """Attention of a vector over the states of an encoder (Bahdanau et al. 2015)."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 6, batch_first=True, bidirectional=True)
        self.query, self.score, self.out = nn.Linear(12, 5), nn.Linear(5, 1, bias=False), nn.Linear(12, 2)

    def forward(self, x):
        y, h = self.rnn(x)
        weights = F.softmax(self.score(torch.tanh(self.query(y))).squeeze(-1), dim=-1)
        context = torch.bmm(weights.unsqueeze(1), y).squeeze(1)
        return self.out(context), weights


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm1d(8)
        self.rnn = nn.LSTM(8, 5, batch_first=True)
        self.fc = nn.Linear(5, 2)
        self.norm.running_mean.uniform_(-1, 1)
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, x):
        y = F.max_pool1d(F.relu(self.norm(self.conv(x.transpose(1, 2)))), 2)
        y, (h, _) = self.rnn(y.transpose(1, 2))
        return self.fc(h[-1])


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.rnn, self.fc = nn.LayerNorm(4), nn.GRU(4, 6, num_layers=2, batch_first=True), nn.Linear(12, 3)

    def forward(self, x):
        y, _ = self.rnn(self.norm(x))
        return self.fc(torch.cat([y.mean(dim=1), y.max(dim=1).values], dim=-1))


class Masked(nn.Module):
    """The mean over the steps that are no padding."""

    def __init__(self):
        super().__init__()
        self.embedding, self.rnn, self.fc = nn.Embedding(9, 4, padding_idx=0), nn.RNN(4, 5, batch_first=True), nn.Linear(5, 1)

    def forward(self, ids):
        keep = (ids != 0).unsqueeze(-1).float()
        y, _ = self.rnn(self.embedding(ids))
        return torch.sigmoid(self.fc((y * keep).sum(1) / keep.sum(1).clamp(min=1)))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.a, self.b = nn.Linear(3, 6), nn.LSTM(6, 6, batch_first=True), nn.LSTM(6, 6, batch_first=True)
        self.gain = nn.Parameter(torch.randn(6))

    def forward(self, x):
        x = F.gelu(self.inp(x))
        x = x + self.a(x)[0]
        return (x * self.gain + self.b(x)[0])[:, -1]


class Activations(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.fc = nn.GRU(2, 6, batch_first=True), nn.Linear(6, 8)

    def forward(self, x):
        y = F.silu(self.fc(self.rnn(x)[0]))
        y = F.leaky_relu(y, 0.1) + F.elu(y) * F.softplus(y) - F.hardtanh(y)
        return F.glu(F.mish(y), dim=-1) / (1 + torch.abs(y[..., :4])) + torch.sqrt(torch.exp(y[..., 4:]))


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.attention, self.norm = nn.LSTM(4, 8, batch_first=True), nn.MultiheadAttention(8, 2, batch_first=True), nn.LayerNorm(8)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.norm(y + self.attention(y, y, y, need_weights=False)[0])


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.rnn, self.fc = nn.Embedding(7, 3), nn.GRU(3, 5, batch_first=True, bidirectional=True), nn.Linear(12, 2)

    def forward(self, ids, extra):
        _, h = self.rnn(self.embedding(ids))
        return self.fc(torch.cat([h[0], h[1], extra], dim=1))


class Flat(nn.Module):
    """What reshapes with the number of samples in hand."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True)
        self.each, self.all = nn.Linear(4, 3), nn.Linear(15, 2)

    def forward(self, x):
        each = self.each(self.lstm(x)[0].reshape(-1, 4))
        return self.all(each.view(x.shape[0], x.shape[1], 3).reshape(x.shape[0], -1))


class Both(nn.Module):
    """Time first, both ways."""

    def __init__(self):
        super().__init__()
        self.gru, self.dense = nn.GRU(3, 4, bidirectional=True), nn.Linear(8, 2)

    def forward(self, x):
        return self.dense(self.gru(x)[0][-1])


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense, self.attention = nn.Linear(3, 4), nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        x = self.dense(x)
        return self.attention(x, x, x, need_weights=False)[0]


class Told(nn.Module):
    """Each sample of the batch begins with a state of its own."""

    def __init__(self):
        super().__init__()
        self.lstm, self.h = nn.LSTM(3, 4, batch_first=True), nn.Parameter(torch.randn(1, 2, 4))

    def forward(self, x):
        return self.lstm(x, (self.h, torch.zeros_like(self.h)))[0]


def of_samples():
    """Modules that were exported without dynamic axes, for 1 sample or 2: their numbers for 3 by PyTorch itself."""
    torch.manual_seed(3)
    kinds = [(Flat, 0, [1, 2]), (Both, 1, [1, 2]), (Heads, 0, [1, 2]), (Told, 0, [2])]
    for kind, axis, counts in kinds:
        for count in counts:
            module = kind().eval()
            example = torch.randn(*((5, count, 3) if axis else (count, 5, 3)))
            buffer = io.BytesIO()
            torch.onnx.export(module, (example,), buffer, dynamo=False, opset_version=17, input_names=["x"])
            program = torch.onnx.export(module, (example,), dynamo=True, opset_version=18, input_names=["x"], verbose=False)
            files = {"": buffer.getvalue(), ", dynamo": bare(program.model_proto).SerializeToString()}
            for exporter, data in files.items():
                onnx.checker.check_model(onnx.load_model_from_string(data))
                case = {"name": f"torch {kind.__name__} for {count}{exporter}", "model": base64.b64encode(data).decode()}
                cases.append(case)
                if kind is Told:
                    case["refused"] = "exported for batches of 2. Export it for any: torch.onnx.export(…, dynamic_axes={'x': {0: 'batch'}})"
                    continue
                x = torch.randn(*((5, 3, 3) if axis else (3, 5, 3)))
                case["inputs"] = [packed(np.moveaxis(x.numpy(), axis, 0))]
                case["outputs"] = [packed(module(x).detach().numpy())]
    # Each sample has numbers of its own: only batches of 2 can be meant.
    nodes = [helper.make_node("Add", ["x", "own"], ["sum"]), helper.make_node("Reshape", ["sum", "shape"], ["y"])]
    constants = [("own", normal(2, 3, 2)), ("shape", np.array([2, 6], dtype=np.int64))]
    add("own numbers for 2", graph(nodes, [("x", [2, 3, 2])], [("y", [2, 6])], constants), [normal(2, 3, 2)], refused="exported for batches of 2")
    nodes = [helper.make_node("Expand", ["x", "wide"], ["more"]), helper.make_node("Reshape", ["more", "shape"], ["y"])]
    constants = [("wide", np.array([2, 3, 2], dtype=np.int64)), ("shape", np.array([2, 6], dtype=np.int64))]
    add("expanded for 2", graph(nodes, [("x", [2, 1, 2])], [("y", [2, 6])], constants), [normal(2, 1, 2)])


def of_torch():
    torch.manual_seed(3)
    x = torch.randn(3, 7, 4)
    batch = {0: "batch", 1: "time"}
    ids = torch.randint(0, 9, (3, 6))
    last = lambda y: y[:, -1]
    export("LSTM, last step", Sequence(nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 2), last), [x], [batch])
    export("LSTM, steps first", Sequence(nn.LSTM(4, 5)), [x], [{0: "time", 1: "batch"}], fixed=True, samples={0: 1, "out0": 1})
    export("LSTM, both ways, two layers", Sequence(nn.LSTM(4, 5, num_layers=2, bidirectional=True, batch_first=True)), [x], [batch])
    export("GRU, two layers", Sequence(nn.GRU(4, 5, num_layers=2, batch_first=True), nn.Linear(5, 3)), [x], [batch])
    export("RNN", Sequence(nn.RNN(4, 3, batch_first=True)), [x], [batch], fixed=True)
    export("RNN relu, both ways, no bias", Sequence(nn.RNN(4, 3, nonlinearity="relu", bidirectional=True, bias=False, batch_first=True)), [x], [batch], fixed=True)
    export("GRU, sizes fixed", Sequence(nn.GRU(4, 5, batch_first=True), nn.Linear(5, 1), last), [x], [{}])
    export("tagger", Tagger(nn.LSTM), [ids], [batch])
    export("tagger, both ways", Tagger(nn.GRU, bidirectional=True), [ids], [batch])
    merged = lambda k, array: array.reshape(6, 3, 13)
    export("language model", LanguageModel(nn.LSTM(6, 5, num_layers=2)), [ids.T.contiguous()], [{0: "time", 1: "batch"}], fixed=True, samples={0: 1, "out0": 1}, unmerged=merged)
    h, c = torch.randn(1, 3, 5), torch.randn(1, 3, 5)
    states = {0: 0, 1: 1, 2: 1, "out1": 1, "out2": 1}
    export("LSTM, states in and out", States(nn.LSTM(4, 5, batch_first=True)), [x, h, c], [batch, {1: "batch"}, {1: "batch"}], samples=states)
    h = torch.randn(4, 3, 5)
    export("GRU, both ways, two layers, states", States(nn.GRU(4, 5, num_layers=2, bidirectional=True, batch_first=True)), [x, h], [batch, {1: "batch"}], samples=states)
    export("attention", Attention(), [x[..., :3].contiguous()], [batch])
    export("convolution, pooling, LSTM", ConvNet(), [torch.randn(3, 8, 3)], [batch])
    export("layer norm, GRU, pooling", Pooled(), [x], [batch])
    export("masked mean", Masked(), [ids], [batch], fixed=True)
    export("residual LSTMs", Residual(), [x[..., :3].contiguous()], [batch])
    export("activations", Activations(), [x[..., :2].contiguous()], [batch])
    export("self-attention", SelfAttention(), [x], [{0: "batch"}])
    export("two inputs", TwoInputs(), [ids % 7, torch.randn(3, 2)], [batch, {0: "batch"}])


# ---------------------------------------------------------------------------------------------------------------- by hand


def graph(nodes, inputs, outputs, constants=(), opset=17, ir=8):
    """inputs: (name, shape) or (name, shape, type); constants: name -> array."""
    info = lambda name, shape, kind=TensorProto.FLOAT: helper.make_tensor_value_info(name, kind, shape)
    made = helper.make_graph(
        nodes,
        "graph",
        [info(*each) for each in inputs],
        [info(*each) for each in outputs],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in dict(constants).items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir, producer_name="unreel").SerializeToString()


def normal(*shape):
    return (random.standard_normal(shape) * 0.5).astype(np.float32)


def recurrent(op, units=3, inputs=4, directions=1, bias=True):
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[op]
    weights = {"W": normal(directions, gates * units, inputs), "R": normal(directions, gates * units, units)}
    if bias:
        weights["B"] = normal(directions, 2 * gates * units)
    return weights


def one_node(name, op, attributes=None, directions=1, bias=True, outputs=("Y", "Y_h"), extra=(), constants=(), **more):
    """X [T, B, 4] into one recurrent node. `extra`: further inputs as (name, shape, array, type)."""
    attributes = {"hidden_size": 3, **(attributes or {})}
    weights = {**recurrent(op, directions=directions, bias=bias), **dict(constants)}
    given = {each[0] for each in extra} | set(weights)
    wanted = ["X", "W", "R", "B", "lengths", "h0", "c0", "P"]
    inputs = [key if key == "X" or key in given else "" for key in wanted]
    while inputs[-1] == "":
        inputs.pop()
    node = helper.make_node(op, inputs, list(outputs), name="cell", **attributes)
    shown = {"Y": ["T", directions, "B", 3], "Y_h": [directions, "B", 3], "Y_c": [directions, "B", 3]}
    data = graph([node], [("X", ["T", "B", 4]), *[(key, shape, *kind) for key, shape, _, *kind in extra]], [(key, shown[key]) for key in outputs if key], weights)
    axes = {"Y": 2, "Y_h": 1, "Y_c": 1}
    samples = {0: 1, **{1 + k: 1 for k, each in enumerate(extra) if len(each[1]) == 3}}
    samples |= {f"out{k}": axes[key] for k, key in enumerate([key for key in outputs if key])}
    add(name, data, [normal(5, 2, 4), *[each[2] for each in extra]], samples=samples, **more)


def by_hand():
    for op in ("RNN", "LSTM", "GRU"):
        for direction in ("forward", "reverse", "bidirectional"):
            directions = 2 if direction == "bidirectional" else 1
            outputs = ("Y", "Y_h", "Y_c") if op == "LSTM" else ("Y", "Y_h")
            one_node(f"{op} {direction}", op, {"direction": direction}, directions, outputs=outputs)
            one_node(f"{op} {direction}, last only, no bias", op, {"direction": direction}, directions, bias=False, outputs=("", "Y_h"))
        lengths = np.array([3, 5], np.int32)
        for direction in ("forward", "reverse", "bidirectional"):
            directions = 2 if direction == "bidirectional" else 1
            one_node(f"{op} {direction}, lengths", op, {"direction": direction}, directions, extra=[("lengths", ["B"], lengths, TensorProto.INT32)])
        one_node(f"{op}, last of lengths", op, {}, outputs=("", "Y_h"), extra=[("lengths", ["B"], lengths, TensorProto.INT32)])
        one_node(f"{op}, initial state", op, {}, extra=[("h0", [1, "B", 3], normal(1, 2, 3))])
        one_node(f"{op}, constant initial state", op, {"direction": "bidirectional"}, 2, constants={"h0": np.repeat(normal(2, 1, 3), 2, axis=1)})
        one_node(f"{op}, clip", op, {"clip": 0.4})
        one_node(f"{op}, clip, both ways", op, {"clip": 0.3, "direction": "bidirectional"}, 2)
    one_node("LSTM, both states", "LSTM", {}, extra=[("h0", [1, "B", 3], normal(1, 2, 3)), ("c0", [1, "B", 3], normal(1, 2, 3))], outputs=("Y", "Y_h", "Y_c"))
    one_node("LSTM, cell state only", "LSTM", {}, extra=[("c0", [1, "B", 3], normal(1, 2, 3))], outputs=("", "", "Y_c"))
    one_node("LSTM, input_forget", "LSTM", {"input_forget": 1})
    one_node("LSTM, other activations", "LSTM", {"activations": ["HardSigmoid", "Softsign", "Tanh"]})
    one_node("LSTM, activations of layers", "LSTM", {"activations": ["HardSigmoid", "Relu", "Relu"], "activation_alpha": [1 / 6], "activation_beta": [0.5]})
    one_node("LSTM, constants of activations", "LSTM", {"activations": ["HardSigmoid", "ScaledTanh", "LeakyRelu"], "activation_alpha": [0.3, 1.2, 0.05], "activation_beta": [0.4, 0.7]})
    one_node("GRU, linear_before_reset", "GRU", {"linear_before_reset": 1})
    one_node("GRU, linear_before_reset, both ways, clip", "GRU", {"linear_before_reset": 1, "direction": "bidirectional", "clip": 0.5}, 2)
    one_node("GRU, other activations", "GRU", {"activations": ["Sigmoid", "ThresholdedRelu"], "activation_alpha": [0.1]})
    for activation, alpha, beta in [("Relu", [], []), ("Softplus", [], []), ("Elu", [0.7], []), ("Affine", [0.3], [0.1]), ("LeakyRelu", [], []), ("Softsign", [], []), ("Sigmoid", [], []), ("ScaledTanh", [1.1], [0.8])]:
        one_node(f"RNN, {activation}", "RNN", {"activations": [activation], **({"activation_alpha": alpha} if alpha else {}), **({"activation_beta": beta} if beta else {})})
    one_node("LSTM, peepholes", "LSTM", {}, constants={"P": normal(1, 9)}, refused="peepholes")
    one_node("LSTM, peepholes of zeros", "LSTM", {}, constants={"P": np.zeros((1, 9), np.float32)})

    # As tf2onnx writes a Keras model: lengths made of the shape, axes moved around the node, opset 9 and 13.
    weights = recurrent("LSTM", 3, 4)
    for opset in (9, 13):
        axes = lambda name, inputs, out, value: helper.make_node(name, inputs + ([f"axes{value}"] if opset >= 13 else []), out, **({} if opset >= 13 else {"axes": [value]}))
        nodes = [
            helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
            helper.make_node("Shape", ["x"], ["shape"]),
            helper.make_node("Gather", ["shape", "zero"], ["batch"]),
            helper.make_node("Gather", ["shape", "one"], ["time"]),
            helper.make_node("Cast", ["time"], ["time32"], to=TensorProto.INT32),
            axes("Unsqueeze", ["time32"], ["time1"], 0),
            axes("Unsqueeze", ["batch"], ["batch1"], 0),
            helper.make_node("Expand" if opset > 9 else "Tile", ["time1", "batch1"], ["lengths"]),
            helper.make_node("Concat", ["k1", "batch1", "k3"], ["stateShape"], axis=0),
            helper.make_node("ConstantOfShape", ["stateShape"], ["h0"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0])),
            helper.make_node("LSTM", ["xt", "W", "R", "B", "lengths", "h0", "h0"], ["Y", "Y_h"], hidden_size=3, name="model/lstm/LSTM"),
            axes("Squeeze", ["Y"], ["y"], 1),
            helper.make_node("Transpose", ["y"], ["yt"], perm=[1, 0, 2]),
            helper.make_node("MatMul", ["yt", "kernel"], ["product"], name="model/dense/MatMul"),
            helper.make_node("Add", ["product", "bias"], ["biased"], name="model/dense/Add"),
            helper.make_node("Softmax", ["biased"], ["out"], axis=2 if opset < 13 else -1),
        ]
        constants = {**weights, "zero": np.int64(0), "one": np.int64(1), "k1": np.array([1]), "k3": np.array([3]), "kernel": normal(3, 2), "bias": normal(2)}
        if opset >= 13:
            constants |= {"axes0": np.array([0]), "axes1": np.array([1])}
        add(f"as tf2onnx, opset {opset}", graph(nodes, [("x", ["n", "t", 4])], [("out", ["n", "t", 2])], constants, opset, 5), [normal(2, 6, 4)])

    node = helper.make_node
    shape = ["n", "t", 4]
    x = normal(2, 6, 4)

    def small(name, nodes, outputs, constants=(), inputs=None, feeds=None, opset=17, **more):
        add(name, graph(nodes, inputs or [("x", shape)], outputs, constants, opset), feeds or [x], **more)

    small("slices", [node("Slice", ["x", "a", "b", "c"], ["s"]), node("Slice", ["s", "d", "e", "f"], ["y"])], [("y", ["n", "u", 2])], {"a": np.array([1]), "b": np.array([2**63 - 1]), "c": np.array([1]), "d": np.array([-3]), "e": np.array([-1]), "f": np.array([2])})
    small("cropped", [node("Slice", ["x", "a", "b", "c"], ["y"])], [("y", ["n", "u", 4])], {"a": np.array([2]), "b": np.array([-1]), "c": np.array([1])})
    small("turned around", [node("Slice", ["x", "a", "b", "c", "a"], ["y"])], [("y", shape)], {"a": np.array([-1]), "b": np.array([-(2**63)]), "c": np.array([1])})
    small("split and joined", [node("Split", ["x", "s"], ["a", "b"], axis=2), node("Mul", ["a", "k"], ["m"]), node("Concat", ["m", "b", "a"], ["y"], axis=-1)], [("y", ["n", "t", 5])], {"s": np.array([1, 3]), "k": np.float32([2])})
    small("gathered", [node("Gather", ["x", "i"], ["a"], axis=2), node("Gather", ["x", "j"], ["b"], axis=1), node("Add", ["a", "k"], ["y"])], [("y", ["n", "t", 2]), ("b", ["n", 4])], {"i": np.array([2, 0]), "j": np.int64(-1), "k": normal(1, 1, 2)})
    small("reductions", [node("ReduceMean", ["x"], ["a"], axes=[1]), node("ReduceSum", ["x", "two"], ["b"], keepdims=0), node("ReduceMax", ["x"], ["c"], axes=[1, 2], keepdims=0), node("ReduceL2", ["x"], ["d"], axes=[-1], keepdims=0)], [("a", ["n", 1, 4]), ("b", ["n", "t"]), ("c", ["n"]), ("d", ["n", "t"])], {"two": np.array([2])})
    small("arithmetic", [node("Sub", ["k", "x"], ["a"]), node("Div", ["a", "m"], ["b"]), node("Pow", ["b", "p"], ["c"]), node("Max", ["c", "x"], ["d"]), node("Min", ["d", "m", "x"], ["e"]), node("Neg", ["e"], ["f"]), node("Clip", ["f", "lo", "hi"], ["y"])], [("y", shape)], {"k": normal(4), "m": np.float32(1.7), "p": np.float32(3), "lo": np.float32(-2), "hi": np.float32(2)})
    small("comparisons", [node("Greater", ["x", "z"], ["a"]), node("LessOrEqual", ["x", "k"], ["b"]), node("Not", ["b"], ["c"]), node("Or", ["a", "c"], ["d"]), node("Where", ["d", "x", "z"], ["e"]), node("Where", ["a", "e", "k"], ["f"]), node("Cast", ["a"], ["g"], to=TensorProto.FLOAT), node("Add", ["f", "g"], ["y"])], [("y", shape)], {"z": np.float32(0), "k": normal(4)})
    small("functions", [node(op, [a], [b], **more) for op, a, b, more in [("LeakyRelu", "x", "a", {}), ("Elu", "a", "b", {"alpha": 0.5}), ("Selu", "b", "c", {}), ("HardSigmoid", "c", "d", {}), ("Softsign", "d", "e", {}), ("Softplus", "e", "f", {}), ("Erf", "f", "g", {}), ("Celu", "g", "h", {"alpha": 2.0}), ("Log", "f", "i", {}), ("Reciprocal", "f", "j", {}), ("HardSwish", "x", "k", {}), ("ThresholdedRelu", "x", "l", {"alpha": 0.3}), ("Shrink", "x", "o", {"lambd": 0.2, "bias": 0.1})]] + [node("Sum", ["h", "i", "j", "k", "l", "o"], ["m"]), node("Mean", ["m", "x"], ["y"])], [("y", shape)])
    small("gemm", [node("Flatten", ["x"], ["f"]), node("Gemm", ["f", "W", "b"], ["y"], transB=1, alpha=0.5, beta=2.0)], [("y", ["n", 5])], {"W": normal(5, 24), "b": normal(5)}, inputs=[("x", ["n", 6, 4])])
    small("matrix products", [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("MatMul", ["x", "t"], ["p"]), node("Softmax", ["p"], ["s"], axis=-1), node("MatMul", ["s", "x"], ["q"]), node("MatMul", ["L", "q"], ["y"])], [("y", ["n", 3, 4])], {"L": normal(3, 6)}, inputs=[("x", ["n", 6, 4])])
    small("convolutions", [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("Conv", ["t", "K", "b"], ["c"], dilations=[2], pads=[4, 0]), node("Relu", ["c"], ["r"]), node("AveragePool", ["r"], ["p"], kernel_shape=[3], pads=[1, 1]), node("Conv", ["p", "G"], ["g"], group=2, strides=[2], auto_pad="SAME_UPPER"), node("ConvTranspose", ["g", "Q", "q"], ["u"], strides=[2], pads=[1, 0], output_padding=[1]), node("GlobalMaxPool", ["u"], ["m"]), node("Squeeze", ["m", "two"], ["y"])], [("y", ["n", 3])], {"K": normal(6, 4, 3), "b": normal(6), "G": normal(4, 3, 3), "Q": normal(4, 3, 3), "q": normal(3), "two": np.array([2])})
    small("padding, pooling", [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("Pad", ["t", "pads"], ["n"]), node("Neg", ["n"], ["p"]), node("MaxPool", ["p"], ["m"], kernel_shape=[2], strides=[2]), node("AveragePool", ["m"], ["a"], kernel_shape=[3], pads=[1, 1], count_include_pad=1), node("GlobalAveragePool", ["a"], ["y"])], [("y", ["n", 4, 1])], {"pads": np.array([0, 0, 1, 0, 0, 2])})
    small("normalizations", [node("LayerNormalization", ["x", "s", "b"], ["a"], epsilon=1e-3), node("LayerNormalization", ["a", "S"], ["c"], axis=1), node("LogSoftmax", ["c"], ["y"], axis=1)], [("y", ["n", 6, 4])], {"s": normal(4), "b": normal(4), "S": normal(6, 4)}, inputs=[("x", ["n", 6, 4])])
    small("softmax of opset 11", [node("Flatten", ["x"], ["f"], axis=2), node("Softmax", ["f"], ["s"]), node("Reshape", ["s", "r"], ["y"])], [("y", ["n", 6, 4])], {"r": np.array([-1, 6, 4])}, inputs=[("x", ["n", 6, 4])], opset=11)
    small("reshaped across axes", [node("Reshape", ["x", "r"], ["a"]), node("ReduceMean", ["a"], ["b"], axes=[2], keepdims=0), node("Reshape", ["a", "q"], ["c"]), node("ReduceSum", ["c", "one"], ["d"], keepdims=0), node("Concat", ["b", "d"], ["y"], axis=1)], [("y", ["n", 12])], {"r": np.array([0, 8, 3]), "q": np.array([-1, 6, 4]), "one": np.array([1])}, inputs=[("x", ["n", 6, 4])])
    small("stacked", [node("Unsqueeze", ["x", "one"], ["a"]), node("Neg", ["x"], ["m"]), node("Unsqueeze", ["m", "one"], ["b"]), node("Concat", ["a", "b", "a"], ["c"], axis=1), node("ReduceSum", ["c", "one"], ["y"], keepdims=0)], [("y", shape)], {"one": np.array([1])})
    small("constants folded", [node("Constant", [], ["k"], value_floats=[1.0, 2.0, 3.0, 4.0]), node("Unsqueeze", ["k", "zero"], ["k1"]), node("Transpose", ["k1"], ["k2"]), node("MatMul", ["k2", "k1"], ["K"]), node("Sqrt", ["K"], ["R"]), node("MatMul", ["x", "R"], ["y"])], [("y", shape)], {"zero": np.array([0])})
    small("expanded", [node("Shape", ["x"], ["s"]), node("Expand", ["k", "s"], ["e"]), node("Add", ["x", "e"], ["a"]), node("Expand", ["a", "t"], ["y"])], [("y", shape)], {"k": normal(1, 1, 4), "t": np.array([1, 1, 4])})
    small("tiled", [node("Tile", ["x", "r"], ["y"])], [("y", ["n", 6, 8])], {"r": np.array([1, 1, 2])}, inputs=[("x", ["n", 6, 4])])
    ids = np.array([[1, 2, 0], [3, 3, 4]])
    small("embedding of 64-bit ids", [node("Cast", ["ids"], ["i"], to=TensorProto.INT32), node("Gather", ["table", "i"], ["e"]), node("ReduceMean", ["e"], ["y"], axes=[1], keepdims=0)], [("y", ["n", 3])], {"table": normal(5, 3)}, inputs=[("ids", ["n", "t"], TensorProto.INT64)], feeds=[ids])
    half = normal(4, 3).astype(np.float16)
    small("half precision weights", [node("Cast", ["W"], ["w"], to=TensorProto.FLOAT), node("MatMul", ["x", "w"], ["y"])], [("y", ["n", "t", 3])], {"W": half})
    small("double weights", [node("Cast", ["W"], ["w"], to=TensorProto.FLOAT), node("MatMul", ["x", "w"], ["y"])], [("y", ["n", "t", 3])], {"W": normal(4, 3).astype(np.float64)})

    small("a loop", [node("Identity", ["x"], ["y"]), node("If", ["c"], ["z"], then_branch=helper.make_graph([node("Constant", [], ["p"], value_float=1.0)], "a", [], [helper.make_tensor_value_info("p", 1, [])]), else_branch=helper.make_graph([node("Constant", [], ["q"], value_float=2.0)], "b", [], [helper.make_tensor_value_info("q", 1, [])]))], [("y", shape), ("z", [])], {"c": np.array(True)}, refused="If, a graph inside a node")
    small("rounded", [node("Floor", ["x"], ["y"])], [("y", shape)], refused="Floor")
    small("over the samples", [node("ReduceMean", ["x"], ["y"], axes=[0])], [("y", [1, "t", 4])], refused="samples")
    small("constants only", [node("Add", ["k", "k"], ["y"]), node("Identity", ["x"], ["z"])], [("y", [4]), ("z", shape)], {"k": normal(4)}, refused="depends on an input")

    # Loops: a graph inside a node, for each step. Its constants are outside.
    value = lambda name, *dims: helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)

    def scanned(name, body, body_inputs, body_outputs, reads, outputs, constants, before=(), sequences=1, **more):
        attributes = {key: more.pop(key) for key in list(more) if key.startswith("scan_")}
        inner = helper.make_graph(body, "body", [value(*each) for each in body_inputs], [value(*each) for each in body_outputs])
        loop = node("Scan", reads, [key for key, _ in outputs], name="the loop", body=inner, num_scan_inputs=sequences, **attributes)
        small(name, [*before, loop], [each for each in outputs if each[1]], constants, **more)

    cell = [node("MatMul", ["now", "W"], ["p"]), node("MatMul", ["h", "R"], ["q"]), node("Add", ["p", "q"], ["s"]), node("Tanh", ["s"], ["h1"]), node("Identity", ["h1"], ["y1"])]
    weights = {"W": normal(4, 3), "R": normal(3, 3)}
    step = ([("h", "n", 3), ("now", "n", 4)], [("h1", "n", 3), ("y1", "n", 3)])
    scanned("scan, steps first", cell, *step, ["h0", "x"], [("h", ["n", 3]), ("y", ["t", "n", 3])], weights, inputs=[("x", ["t", "n", 4]), ("h0", ["n", 3])], feeds=[normal(5, 2, 4), normal(2, 3)], samples={0: 1, "out1": 1})
    zeros = [node("Shape", ["x"], ["shape"], start=0, end=1), node("Concat", ["shape", "three"], ["sizes"], axis=0), node("ConstantOfShape", ["sizes"], ["h0"], value=helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5]))]
    scanned("scan from its end, a state that begins with a number", cell, *step, ["h0", "x"], [("h", ["n", 3]), ("y", ["n", 3, "t"])], weights | {"three": np.array([3])}, zeros, scan_input_axes=[1], scan_output_axes=[2], scan_input_directions=[1])
    two = [node("MatMul", ["now", "W"], ["p"]), node("Mul", ["p", "h"], ["q"]), node("ReduceSum", ["other", "one"], ["r"], keepdims=1), node("Add", ["q", "r"], ["h1"]), node("Sub", ["now", "r"], ["y1"]), node("Squeeze", ["r", "one"], ["y2"])]
    scanned(
        "scan, two sequences and two outputs, one of each turned",
        two,
        [("h", "n", 3), ("now", "n", 4), ("other", "n", 2)],
        [("h1", "n", 3), ("y1", "n", 4), ("y2", "n")],
        ["h0", "x", "parts"],
        [("h", ["n", 3]), ("y", ["n", "t", 4]), ("z", ["n", "t"])],
        weights | {"one": np.array([1]), "a": np.array([1]), "b": np.array([3]), "c": np.array([2])},
        [node("Slice", ["x", "a", "b", "c"], ["parts"])],
        sequences=2,
        inputs=[("x", shape), ("h0", ["n", 3])],
        feeds=[x, normal(2, 3)],
        scan_input_axes=[1, 1],
        scan_output_axes=[1, 1],
        scan_input_directions=[0, 1],
        scan_output_directions=[1, 0],
    )
    attends = [node("Add", ["h", "now"], ["a"]), node("Mul", ["a", "mean"], ["h1"])]
    scanned("scan, a value around it, the last state only", attends, [("h", "n", 4), ("now", "n", 4)], [("h1", "n", 4)], ["mean", "x"], [("h", ["n", 4])], {}, [node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0)], scan_input_axes=[1])
    scanned("scan without a state", [node("Relu", ["now"], ["y1"])], [("now", "n", 4)], [("y1", "n", 4)], ["x"], [("y", shape)], {}, scan_input_axes=[1], scan_output_axes=[1])
    deep = [node("ReduceSum", ["now", "last"], ["a"], keepdims=0), node("Add", ["h", "a"], ["h1"]), node("Mul", ["now", "now"], ["y1"])]
    scanned("scan, a table at each step", deep, [("h", "n", 3), ("now", "n", 3, 2)], [("h1", "n", 3), ("y1", "n", 3, 2)], ["h0", "x"], [("h", ["n", 3]), ("y", ["n", "t", 3, 2])], {"last": np.array([2])}, inputs=[("x", ["n", "t", 3, 2]), ("h0", ["n", 3])], feeds=[normal(2, 4, 3, 2), normal(2, 3)], scan_input_axes=[1], scan_output_axes=[1])
    scanned("scan over something that is refused", [node("Floor", ["now"], ["y1"])], [("now", "n", 4)], [("y1", "n", 4)], ["x"], [("y", shape)], {}, scan_input_axes=[1], scan_output_axes=[1], refused="node 'y1' (Floor)")
    small("sums so far", [node("CumSum", ["x", "one"], ["a"]), node("CumSum", ["x", "two"], ["b"], exclusive=1), node("CumSum", ["x", "one"], ["c"], reverse=1), node("CumSum", ["x", "last"], ["d"], exclusive=1, reverse=1), node("CumSum", ["k", "zero"], ["e"], reverse=1, exclusive=1), node("Add", ["d", "e"], ["f"])], [("a", ["n", 6, 4]), ("b", ["n", 6, 4]), ("c", ["n", 6, 4]), ("f", ["n", 6, 4])], {"zero": np.int64(0), "one": np.int64(1), "two": np.int32(2), "last": np.int64(-1), "k": normal(4)}, inputs=[("x", ["n", 6, 4])])
    small("turned around, to a known end", [node("Slice", ["x", "a", "b", "one", "a"], ["y"]), node("Slice", ["x", "f", "g", "two", "a"], ["z"])], [("y", shape), ("z", shape)], {"a": np.array([-1]), "b": np.array([-(2**31) + 1]), "one": np.array([1]), "two": np.array([2]), "f": np.array([3]), "g": np.array([-5])})
    small("every other step", [node("Slice", ["x", "a", "b", "one", "two"], ["y"])], [("y", shape)], {"a": np.array([0]), "b": np.array([2**31]), "one": np.array([1]), "two": np.array([2])}, refused="in steps of 2 along axis 1")

    # All at once, and each operator that stands in no graph above.
    lengths = np.array([3, 5], np.int32)
    state = lambda name: (name, [2, "B", 3], normal(2, 2, 3))
    both = {"direction": "bidirectional"}
    length = ("lengths", ["B"], lengths, TensorProto.INT32)
    functions = {"activations": ["HardSigmoid", "Tanh", "Softsign", "Sigmoid", "Relu", "Relu"], "activation_alpha": [0.2], "activation_beta": [0.5]}
    one_node("LSTM, both ways, lengths, states, clip, a function for each gate", "LSTM", {**both, **functions, "clip": 0.8}, 2, outputs=("Y", "Y_h", "Y_c"), extra=[length, state("h0"), state("c0")])
    one_node("GRU, both ways, lengths, state, linear_before_reset", "GRU", {**both, "linear_before_reset": 1}, 2, extra=[length, state("h0")])
    one_node("RNN, both ways, lengths, state, other functions", "RNN", {**both, "activations": ["Elu", "Relu"], "activation_alpha": [0.6]}, 2, extra=[length, state("h0")])
    one_node("LSTM, from its end, lengths, states, no outputs but the last", "LSTM", {"direction": "reverse"}, extra=[length, ("h0", [1, "B", 3], normal(1, 2, 3)), ("c0", [1, "B", 3], normal(1, 2, 3))], outputs=("", "Y_h", "Y_c"))
    small("truth", [node("Less", ["x", "z"], ["a"]), node("GreaterOrEqual", ["x", "k"], ["b"]), node("And", ["a", "b"], ["c"]), node("Xor", ["a", "b"], ["d"]), node("Cast", ["c"], ["e"], to=TensorProto.FLOAT), node("CastLike", ["d", "x"], ["f"]), node("Sign", ["x"], ["g"]), node("Sum", ["e", "f", "g"], ["y"])], [("y", shape)], {"z": np.float32(0.3), "k": normal(4)})
    small("other reductions", [node("ReduceMin", ["x"], ["a"], axes=[1]), node("ReduceSumSquare", ["x"], ["b"], axes=[2], keepdims=0), node("ReduceL1", ["x"], ["c"], axes=[1, 2]), node("ReduceMean", ["x"], ["d"], axes=[-1])], [("a", ["n", 1, 4]), ("b", ["n", "t"]), ("c", ["n", 1, 1]), ("d", ["n", "t", 1])])
    small("reductions of opset 18", [node("ReduceMean", ["x", "two"], ["a"], keepdims=0), node("ReduceMax", ["x", "one"], ["b"]), node("ReduceMean", ["x"], ["c"], noop_with_empty_axes=1)], [("a", ["n", "t"]), ("b", ["n", 1, 4]), ("c", shape)], {"one": np.array([1]), "two": np.array([2])}, opset=18)
    small("batch normalization, dropout, a size", [node("Transpose", ["x"], ["t"], perm=[0, 2, 1]), node("BatchNormalization", ["t", "s", "b", "m", "v"], ["n"], epsilon=1e-3), node("Dropout", ["n"], ["d"]), node("Transpose", ["d"], ["y"], perm=[0, 2, 1]), node("Size", ["s"], ["i"]), node("Cast", ["i"], ["f"], to=TensorProto.FLOAT), node("Mul", ["y", "f"], ["z"])], [("z", shape)], {"s": normal(4), "b": normal(4), "m": normal(4), "v": np.abs(normal(4)) + np.float32(0.5)})
    small("ranges and products of sizes", [node("Range", ["zero", "four", "one"], ["r"]), node("Cast", ["r"], ["f"], to=TensorProto.FLOAT), node("Add", ["x", "f"], ["a"]), node("Shape", ["x"], ["s"], start=1), node("ReduceProd", ["s"], ["p"], keepdims=1), node("Concat", ["minus", "p"], ["q"], axis=0), node("Reshape", ["a", "q"], ["y"])], [("y", ["n", 24])], {"zero": np.int64(0), "four": np.int64(4), "one": np.int64(1), "minus": np.array([-1])}, inputs=[("x", ["n", 6, 4])])
    small("lists of tensors", [node("SplitToSequence", ["x"], ["l"], axis=1, keepdims=0), node("SequenceAt", ["l", "last"], ["a"]), node("SequenceAt", ["l", "zero"], ["b"]), node("SequenceConstruct", ["a", "b", "a"], ["m"]), node("ConcatFromSequence", ["m"], ["y"], axis=1, new_axis=1)], [("y", ["n", 3, 4])], {"last": np.int64(-1), "zero": np.int64(0)}, inputs=[("x", ["n", 6, 4])])
    small("gelu", [node("Gelu", ["x"], ["a"]), node("Gelu", ["x"], ["b"], approximate="tanh"), node("Sub", ["a", "b"], ["c"]), node("Mul", ["c", "k"], ["d"]), node("Add", ["d", "a"], ["y"])], [("y", shape)], {"k": np.float32(9)}, opset=20)

# --------------------------------------------------------------------------------------------------- ONNX's own node tests


def of_onnx():
    """The node tests of RNN, LSTM and GRU that the onnx package ships. Their weights are inputs; here they are initializers, with the
    same numbers, as in every model."""
    import importlib

    from onnx.backend.test.case import node as tests

    # Importing a module registers its tests.
    for op in ("rnn", "lstm", "gru"):
        importlib.import_module(f"{tests.__name__}.{op}")
    for test in tests._NodeTestCases:
        (inputs, outputs), model = test.data_sets[0], test.model
        node = model.graph.node[0]
        values = dict(zip([each.name for each in model.graph.input], inputs, strict=True))
        weights = [node.input[k] for k in (1, 2, 3, 7) if k < len(node.input) and node.input[k]]
        for key in weights:
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(values[key]), key))
        kept = [each for each in model.graph.input if each.name not in weights]
        del model.graph.input[:]
        model.graph.input.extend(kept)
        layout = next((each.i for each in node.attribute if each.name == "layout"), 0)
        case = {"name": f"onnx {test.name}", "model": base64.b64encode(model.SerializeToString()).decode()}
        if "peepholes" in test.name:
            case["refused"] = "peepholes"
            cases.append(case)
            continue
        front = lambda name, array: np.moveaxis(array, 0 if layout else {3: 1, 4: 2}.get(array.ndim, 0), 0)
        case["inputs"] = [packed(front(each.name, values[each.name])) for each in kept]
        wanted = dict(zip([each.name for each in model.graph.output], outputs, strict=True))
        case["outputs"] = [packed(front(each.name, wanted[each.name])) for each in model.graph.output]
        cases.append(case)


def save(name, make):
    cases.clear()
    make()
    out = HERE / name
    versions = {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__, "numpy": np.__version__}
    out.write_text(json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")) + "\n")
    print(len(cases), "graphs,", out.stat().st_size, "bytes", name, file=sys.stderr)


if __name__ == "__main__":
    which = sys.argv[1:] or ["hand", "node", "torch", "samples"]
    if "hand" in which:
        save("onnx_hand.json", by_hand)
    if "node" in which:
        save("onnx_node.json", of_onnx)
    if "torch" in which:
        save("onnx_torch.json", of_torch)
    if "samples" in which:
        save("onnx_samples.json", of_samples)
