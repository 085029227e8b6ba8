// Models here like the modules of make_torch.py, by its names, and which module is which layer.
import { input, layers, type Model, model, type SymbolicTensor, type Tensor } from "../../src/index.js";
import type { Layer } from "../../src/layers/layer.js";

export interface TorchModel {
  readonly mapping: Record<string, string | string[]>;
  make(): Model;
}

const X = [null, 4];

function of(
  shape: (number | null)[],
  mapping: TorchModel["mapping"],
  draw: (x: SymbolicTensor) => SymbolicTensor,
  dtype: "float32" | "int32" = "float32",
): TorchModel {
  return {
    mapping,
    make() {
      const x = input({ shape, dtype });
      return model({ inputs: x, outputs: draw(x) });
    },
  };
}

const one = (shape: (number | null)[], layer: () => Layer, dtype: "float32" | "int32" = "float32") =>
  of(shape, { "": "it" }, (x) => layer().apply(x), dtype);

const stack = (made: readonly Layer[]) => (x: SymbolicTensor) =>
  made.reduce<SymbolicTensor>((y, layer) => layer.apply(y), x);

const RECURRENT = { rnn: layers.simpleRNN, lstm: layers.lstm, gru: layers.gru };
const found: Record<string, TorchModel> = {};
for (const [name, make] of Object.entries(RECURRENT)) {
  const options = { units: 3, returnSequences: true };
  const both = (units: number, layerName: string) =>
    layers.bidirectional({ layer: make({ units, returnSequences: true }), name: layerName });
  found[name] = one(X, () => make({ ...options, name: "it" }));
  found[`${name}, no bias`] = one(X, () => make({ ...options, useBias: false, name: "it" }));
  found[`${name}, both ways`] = one(X, () => both(3, "it"));
  const names = ["a", "b", "c"];
  found[`${name}, three layers`] = of(X, { "": names }, (x) =>
    stack(names.map((each) => make({ ...options, name: each })))(x),
  );
  found[`${name}, both ways, two layers`] = of(X, { "": ["a", "b"] }, (x) =>
    stack([both(5, "a"), both(5, "b")])(x),
  );
}
found["rnn, relu"] = one(X, () =>
  layers.simpleRNN({ units: 3, activation: "relu", returnSequences: true, name: "it" }),
);
const first = (x: SymbolicTensor) => layers.cropping1D({ cropping: [0, 5] }).apply(x);
for (const [name, cell] of Object.entries({
  rnn: layers.simpleRNNCell,
  lstm: layers.lstmCell,
  gru: layers.gruCell,
}))
  found[`${name} cell`] = of(X, { "": "it" }, (x) =>
    layers.rnn({ cell: cell({ units: 3 }), name: "it" }).apply(first(x)),
  );
found.linear = one([4], () => layers.dense({ units: 3, name: "it" }));
found["linear, no bias"] = one(X, () =>
  layers.timeDistributed({ layer: layers.dense({ units: 3, useBias: false }), name: "it" }),
);
found.embedding = one([null], () => layers.embedding({ inputDim: 9, outputDim: 5, name: "it" }), "int32");
found.conv1d = one(X, () => layers.conv1D({ filters: 6, kernelSize: 3, name: "it" }));
found["conv1d, groups"] = one(X, () =>
  layers.conv1D({ filters: 6, kernelSize: 3, groups: 2, useBias: false, name: "it" }),
);
found["conv1d, depthwise"] = one(X, () =>
  layers.depthwiseConv1D({ kernelSize: 3, depthMultiplier: 2, name: "it" }),
);
found.convTranspose1d = one(X, () =>
  layers.conv1DTranspose({ filters: 3, kernelSize: 3, strides: 2, name: "it" }),
);
found.layerNorm = one(X, () => layers.layerNormalization({ epsilon: 1e-5, name: "it" }));
found.batchNorm1d = one(X, () => layers.batchNormalization({ epsilon: 1e-5, name: "it" }));
found.tagger = of(
  [null],
  { embedding: "words", "encoder.rnn": ["below", "above"], norm: "norm", fc: "out" },
  (x) =>
    stack([
      layers.embedding({ inputDim: 9, outputDim: 4, name: "words" }),
      layers.bidirectional({ layer: layers.lstm({ units: 3, returnSequences: true }), name: "below" }),
      layers.bidirectional({ layer: layers.lstm({ units: 3, returnSequences: true }), name: "above" }),
      layers.layerNormalization({ name: "norm" }),
      layers.dense({ units: 2, name: "out" }),
    ])(x),
  "int32",
);
found["lstm, half"] = found.lstm;
found["gru, bfloat16"] = found.gru;
found["linear, double"] = found.linear;
found["lstm, projection"] = found.lstm;

export const TORCH: Readonly<Record<string, TorchModel>> = found;

/** A model's one output. */
export async function outputOf(made: Model, given: Tensor): Promise<Tensor> {
  return made.predict(given, { verbose: 0 });
}
