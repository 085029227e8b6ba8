"""State dicts of PyTorch as safetensors files, with what the modules give: torch_modules.json. And files written here, in PyTorch.

  python tests/formats/make_torch.py              (torch 2.13.0, safetensors 0.8.0, numpy 2.4.6)
  node build/tests/formats/writeTorch.js DIRECTORY && python tests/formats/make_torch.py check DIRECTORY
"""

import base64
import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import nn

HERE = pathlib.Path(__file__).parent


def modules():
    """Name -> the module, its input, and how it gives one output. onnx-like names of layers are tests/formats/torchModels.ts's."""
    torch.manual_seed(5)
    x, ids, vector = torch.randn(2, 6, 4), torch.randint(0, 9, (2, 6)), torch.randn(3, 4)
    y = lambda module, given: module(given)[0]
    plain = lambda module, given: module(given)
    channels = lambda module, given: module(given.transpose(1, 2)).transpose(1, 2)
    step = lambda module, given: module(given[:, 0])
    cell = lambda module, given: module(given[:, 0])[0]
    found = {}
    for name, make in {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}.items():
        found[name] = (make(4, 3, batch_first=True), x, y)
        found[f"{name}, no bias"] = (make(4, 3, batch_first=True, bias=False), x, y)
        found[f"{name}, both ways"] = (make(4, 3, batch_first=True, bidirectional=True), x, y)
        found[f"{name}, three layers"] = (make(4, 3, num_layers=3, batch_first=True), x, y)
        found[f"{name}, both ways, two layers"] = (make(4, 5, num_layers=2, batch_first=True, bidirectional=True), x, y)
    found["rnn, relu"] = (nn.RNN(4, 3, batch_first=True, nonlinearity="relu"), x, y)
    found["rnn cell"] = (nn.RNNCell(4, 3), x, step)
    found["lstm cell"] = (nn.LSTMCell(4, 3), x, cell)
    found["gru cell"] = (nn.GRUCell(4, 3), x, step)
    found["linear"] = (nn.Linear(4, 3), vector, plain)
    found["linear, no bias"] = (nn.Linear(4, 3, bias=False), x, plain)
    found["embedding"] = (nn.Embedding(9, 5), ids, plain)
    found["conv1d"] = (nn.Conv1d(4, 6, 3), x, channels)
    found["conv1d, groups"] = (nn.Conv1d(4, 6, 3, groups=2, bias=False), x, channels)
    found["conv1d, depthwise"] = (nn.Conv1d(4, 8, 3, groups=4), x, channels)
    found["convTranspose1d"] = (nn.ConvTranspose1d(4, 3, 3, stride=2), x, channels)
    found["layerNorm"] = (nn.LayerNorm(4), x, plain)
    found["batchNorm1d"] = (nn.BatchNorm1d(4), x, channels)
    for module, _, _ in found.values():
        for key, value in module.state_dict().items():
            if value.dtype == torch.float32:
                with torch.no_grad():
                    value.uniform_(0.3, 1) if "var" in key else value.uniform_(-0.8, 0.8)

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(9, 4)
            self.encoder = nn.ModuleDict({"rnn": nn.LSTM(4, 3, num_layers=2, batch_first=True, bidirectional=True)})
            self.norm, self.fc = nn.LayerNorm(6, eps=1e-3), nn.Linear(6, 2)

        def forward(self, given):
            return self.fc(self.norm(self.encoder["rnn"](self.embedding(given))[0]))

    found["tagger"] = (Tagger(), ids, plain)
    found["lstm, half"] = (nn.LSTM(4, 3, batch_first=True).half(), x, None)
    found["gru, bfloat16"] = (nn.GRU(4, 3, batch_first=True).bfloat16(), x, None)
    found["linear, double"] = (nn.Linear(4, 3).double(), vector, None)
    found["lstm, projection"] = (nn.LSTM(4, 3, proj_size=2, batch_first=True), x, y)
    return {name: (module.eval(), *rest) for name, (module, *rest) in found.items()}


def packed(array):
    array = np.ascontiguousarray(array)
    kind = "int32" if array.dtype.kind in "iub" else "float32"
    return {"shape": list(array.shape), "dtype": kind, "data": base64.b64encode(array.astype("<i4" if kind == "int32" else "<f4").tobytes()).decode()}


def output(module, given, call):
    if call is None:
        # In single precision, with the weights as they were rounded.
        module = module.float()
        call = (lambda m, g: m(g)) if isinstance(module, nn.Linear) else (lambda m, g: m(g)[0])
    with torch.no_grad():
        return call(module, given).numpy()


def write():
    cases = []
    for name, (module, given, call) in modules().items():
        data = save(module.state_dict())
        cases.append({"name": name, "file": base64.b64encode(data).decode(), "input": packed(given.numpy()), "output": packed(output(module, given, call))})
    versions = {"torch": torch.__version__, "numpy": np.__version__}
    path = HERE / "torch_modules.json"
    path.write_text(json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")) + "\n")
    print(len(cases), "state dicts,", path.stat().st_size, "bytes")


def check(directory):
    """State dicts that unreel wrote: PyTorch takes them, and gives the same."""
    found, worst, agree = modules(), 0.0, 0
    cases = json.loads((directory / "cases.json").read_text())
    for case in cases:
        module, given, call = found[case["name"]]
        module = module.float()
        state = load_file(directory / case["file"])
        result = module.load_state_dict(state, strict=False)
        assert not result.unexpected_keys and all("num_batches" in key for key in result.missing_keys), (case["name"], result)
        given = torch.from_numpy(np.array(case["input"]["data"], case["input"]["dtype"]).reshape(case["input"]["shape"]))
        got = output(module, given.long() if given.dtype == torch.int32 else given, call)
        mine = np.array(case["output"]["data"], np.float32).reshape(case["output"]["shape"])
        off = float(np.abs(mine - got).max())
        worst = max(worst, off)
        agree += off <= 1e-5
        if off > 1e-5:
            print(case["name"], off)
    print(f"{agree} of {len(cases)} agree; the largest difference {worst:.2g} (torch {torch.__version__})")
    return agree == len(cases)


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        sys.exit(not check(pathlib.Path(sys.argv[2])))
    write()
