"""PyTorch, one thread, asked by frameworks.js."""

from answer import answer  # first: it sets the number of threads
import torch

torch.set_num_threads(1)
torch.set_num_interop_threads(1)

CELLS = {"simpleRNN": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
# Keras' order of gates to PyTorch's: GRU z r h -> r z h.
ORDER = {"simpleRNN": [0], "lstm": [0, 1, 2, 3], "gru": [1, 0, 2]}


class Model(torch.nn.Module):
    """A recurrent layer; for training a dense layer of one unit behind its last state."""

    def __init__(self, shape, training, arrays):
        super().__init__()
        cell, inputs, units = shape["cell"], shape["inputs"], shape["units"]
        self.recurrent = CELLS[cell](inputs, units, batch_first=True)
        self.dense = torch.nn.Linear(units, 1) if training else None

        def gates(name, rows):
            blocks = torch.from_numpy(arrays[name].copy()).reshape(rows, len(ORDER[cell]), units)
            return blocks[:, ORDER[cell]].reshape(rows, -1)

        with torch.no_grad():
            self.recurrent.weight_ih_l0.copy_(gates("kernel", inputs).T)
            self.recurrent.weight_hh_l0.copy_(gates("recurrent", units).T)
            bias = gates("bias", 2 if cell == "gru" else 1)
            self.recurrent.bias_ih_l0.copy_(bias[0])
            self.recurrent.bias_hh_l0.copy_(bias[1] if cell == "gru" else torch.zeros_like(bias[0]))
            if training:
                self.dense.weight.copy_(torch.from_numpy(arrays["dense"].copy()).T)
                self.dense.bias.copy_(torch.from_numpy(arrays["denseBias"].copy()))
        # Keras has one bias there: a second one would learn too.
        if cell != "gru":
            self.recurrent.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        state = self.recurrent(x)[0][:, -1]
        return self.dense(state) if self.dense else state


def make(shape, training, arrays):
    x = torch.from_numpy(arrays["x"].copy())
    if not training:
        model = Model(shape, False, arrays).eval()

        def predict():
            with torch.inference_mode():
                return model(x)

        return predict, lambda: predict().flatten().tolist()

    model = Model(shape, True, arrays)
    y = torch.from_numpy(arrays["y"].copy())
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(learned, lr=shape["checkRate"])

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def check():
        nonlocal optimizer
        losses = [step() for _ in range(3)]
        optimizer = torch.optim.Adam(learned, lr=0.001, eps=1e-7)
        return losses

    return step, check


answer(f"torch {torch.__version__}", make)
