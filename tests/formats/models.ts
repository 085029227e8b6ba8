// Models of every layer and operation, for tests of formats that write them: with what goes in, small and odd sizes.
import {
  input,
  layers,
  type Model,
  model,
  ops,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { ACTIVATIONS } from "../../src/layers/activations.js";
import type { Layer } from "../../src/layers/layer.js";
import { Random } from "../../src/random.js";

export interface ModelCase {
  readonly name: string;
  make(): { model: Model; feeds: Tensor[] };
}

const random = new Random(11);

/** Numbers of both signs. */
export function numbers(...shape: number[]): Tensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = random.uniform(-1.5, 1.5);
  return tensor(data, shape);
}

/** Ids, some of them padding: before, between and behind, and in the last row all. */
function ids(): Tensor {
  const rows = [
    [0, 0, 3, 1, 2],
    [4, 5, 1, 0, 0],
    [2, 0, 6, 0, 3],
    [0, 0, 0, 0, 0],
  ];
  return tensor(rows, undefined, "int32");
}

type Draw = (x: SymbolicTensor) => SymbolicTensor | readonly SymbolicTensor[];

/** All weights drawn anew, so that none is zero or one. */
function drawn(made: Model): Model {
  made.setWeights(
    made.getWeights().map(({ shape }, k) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      for (let i = 0; i < data.length; i++) data[i] = random.uniform(-0.7, 0.7);
      // Variances are positive.
      return tensor(/variance/.test(allNames(made)[k]) ? data.map((x) => Math.abs(x) + 0.3) : data, shape);
    }),
  );
  return made;
}

const allNames = (made: Model) => made.layers.flatMap((layer) => layer.weights.map(({ name }) => name));

const cases: ModelCase[] = [];

function of(name: string, shape: (number | null)[], feed: Tensor, draw: Draw): void {
  cases.push({
    name,
    make() {
      const x = input({ shape });
      return { model: drawn(model({ inputs: x, outputs: draw(x) as SymbolicTensor[] })), feeds: [feed] };
    },
  });
}

/** From ids with padding: an embedding that makes a mask. */
function masked(name: string, draw: Draw): void {
  cases.push({
    name: `${name}, masked`,
    make() {
      const x = input({ shape: [null], dtype: "int32" });
      const embedded = layers.embedding({ inputDim: 7, outputDim: 4, maskZero: true }).apply(x);
      return {
        model: drawn(model({ inputs: x, outputs: draw(embedded) as SymbolicTensor[] })),
        feeds: [ids()],
      };
    },
  });
}

const SEQUENCE: (number | null)[] = [null, 4];
const sequence = numbers(3, 6, 4);

function single(name: string, layer: () => Layer, shape = SEQUENCE, feed = sequence): void {
  of(name, shape, feed, (x) => layer().apply(x));
}

// ------------------------------------------------------------------------------------------------------------- recurrent

const RECURRENT = { simpleRNN: layers.simpleRNN, lstm: layers.lstm, gru: layers.gru };
for (const [name, make] of Object.entries(RECURRENT)) {
  for (const goBackwards of [false, true]) {
    const way = goBackwards ? " backwards" : "";
    const common = { units: 3, goBackwards };
    single(`${name}${way}`, () => make(common));
    of(
      `${name}${way}, sequences, states`,
      SEQUENCE,
      sequence,
      (x) => make({ ...common, returnSequences: true, returnState: true }).apply(x) as SymbolicTensor[],
    );
    for (const activation of ["tanh", "gelu"]) {
      for (const zeroOutputForMask of [false, true]) {
        const options = {
          ...common,
          activation,
          zeroOutputForMask,
          returnSequences: true,
          returnState: true,
        };
        masked(
          `${name}${way}, ${activation}${zeroOutputForMask ? ", zeros" : ""}`,
          (x) => make(options).apply(x) as SymbolicTensor[],
        );
      }
      masked(`${name}${way}, ${activation}, last, zeros`, (x) =>
        make({ ...common, activation, zeroOutputForMask: true }).apply(x),
      );
    }
    masked(`${name}${way}, last`, (x) => make(common).apply(x));
  }
  single(`${name}, no bias`, () => make({ units: 3, useBias: false, returnSequences: true }));
  for (const activation of [
    "relu",
    "linear",
    "leakyRelu",
    "elu",
    "softsign",
    "softplus",
    "hardSigmoid",
    "sparseSigmoid",
    "swish",
    "selu",
  ])
    single(`${name}, ${activation}`, () => make({ units: 3, activation, returnSequences: true }));
  for (const mergeMode of ["concat", "sum", "mul", "ave", null] as const) {
    const layer = () => layers.bidirectional({ layer: make({ units: 3, returnSequences: true }), mergeMode });
    single(`bidirectional ${name}, ${mergeMode}`, layer);
    masked(`bidirectional ${name}, ${mergeMode}`, (x) => layer().apply(x) as SymbolicTensor[]);
  }
  of(
    `bidirectional ${name}, last, states`,
    SEQUENCE,
    sequence,
    (x) =>
      layers.bidirectional({ layer: make({ units: 3, returnState: true }) }).apply(x) as SymbolicTensor[],
  );
  masked(`bidirectional ${name}, last`, (x) => layers.bidirectional({ layer: make({ units: 3 }) }).apply(x));
  single(`bidirectional ${name}, gelu`, () =>
    layers.bidirectional({ layer: make({ units: 3, activation: "gelu", returnSequences: true }) }),
  );
  for (const mask of [false, true]) {
    cases.push({
      name: `${name}, initial states${mask ? ", mask by name" : ""}`,
      make() {
        const x = input({ shape: [null, 4] });
        const states = Array.from({ length: name === "lstm" ? 2 : 1 }, () => input({ shape: [3] }));
        const keep = mask ? [input({ shape: [null] })] : [];
        const layer = make({ units: 3, returnSequences: true, returnState: true });
        const outputs: SymbolicTensor[] = layer.apply(x, {
          initialState: states,
          ...(mask && { mask: keep[0] }),
        });
        const given = [
          numbers(2, 5, 4),
          ...states.map(() => numbers(2, 3)),
          ...(mask
            ? [
                tensor([
                  [0, 1, 1, 0, 1],
                  [0, 0, 0, 0, 0],
                ]),
              ]
            : []),
        ];
        return {
          model: drawn(model({ inputs: [x, ...states, ...keep], outputs: [...outputs] })),
          feeds: given,
        };
      },
    });
  }
}
single("gru, reset before", () => layers.gru({ units: 3, resetAfter: false, returnSequences: true }));
single("gru, reset before, swish", () => layers.gru({ units: 3, resetAfter: false, activation: "swish" }));
single("lstm, gates of relu", () => layers.lstm({ units: 3, recurrentActivation: "hardSigmoid" }));
const cells = () => [
  layers.lstmCell({ units: 3 }),
  layers.gruCell({ units: 2 }),
  layers.simpleRNNCell({ units: 5 }),
];
of(
  "rnn over stacked cells",
  SEQUENCE,
  sequence,
  (x) => layers.rnn({ cell: cells(), returnSequences: true, returnState: true }).apply(x) as SymbolicTensor[],
);
masked(
  "rnn over stacked cells, backwards",
  (x) =>
    layers
      .rnn({ cell: cells(), returnSequences: true, goBackwards: true, returnState: true })
      .apply(x) as SymbolicTensor[],
);
masked("rnn over a cell, last", (x) => layers.rnn({ cell: layers.gruCell({ units: 3 }) }).apply(x));
single("bidirectional rnn", () =>
  layers.bidirectional({ layer: layers.rnn({ cell: layers.lstmCell({ units: 3 }), returnSequences: true }) }),
);

/** A gate on the state (minimal gated unit, Zhou et al. 2016), with a memory that it attends to. */
function ownCell(withMemory: boolean) {
  const forget = layers.dense({ units: 3, activation: "sigmoid" });
  const candidate = layers.dense({ units: 3, activation: "tanh" });
  return {
    stateSize: 3,
    call(x: SymbolicTensor, [state]: readonly SymbolicTensor[], [memory]: readonly SymbolicTensor[]) {
      const read = withMemory ? [ops.mean(memory, { axis: 1 })] : [];
      const gate: SymbolicTensor = forget.apply(ops.concatenate([x, state, ...read]));
      const next: SymbolicTensor = candidate.apply(ops.concatenate([x, ops.multiply(gate, state)]));
      const out = ops.add(state, ops.multiply(gate, ops.subtract(next, state)));
      return [out, [out]] as const;
    },
  };
}
single("rnn over a cell of one's own", () => layers.rnn({ cell: ownCell(false), returnSequences: true }));
cases.push({
  name: "rnn over a cell with constants",
  make() {
    const [x, memory] = [input({ shape: [null, 4] }), input({ shape: [null, 2] })];
    const out = layers.rnn({ cell: ownCell(true) }).apply(x, { constants: memory });
    return {
      model: drawn(model({ inputs: [x, memory], outputs: out })),
      feeds: [numbers(2, 5, 4), numbers(2, 3, 2)],
    };
  },
});

// ---------------------------------------------------------------------------------------------------------- other layers

for (const activation of ACTIVATIONS)
  single(`activation ${activation}`, () => layers.activation({ activation }));
single("dense, tanh", () => layers.dense({ units: 3, activation: "tanh" }));
single("dense, no bias, rank 2", () => layers.dense({ units: 3, useBias: false }), [4], numbers(3, 4));
single("flatten", () => layers.flatten(), [6, 4]);
single("dropout", () => layers.dropout({ rate: 0.5 }));
single("spatialDropout1D", () => layers.spatialDropout1D({ rate: 0.5 }));
single("gaussianNoise", () => layers.gaussianNoise({ stddev: 0.5 }));
single("activityRegularization", () => layers.activityRegularization({ l2: 0.1 }));
single("repeatVector", () => layers.repeatVector({ n: 3 }), [4], numbers(3, 4));
for (const padding of ["valid", "same", "causal"] as const) {
  single(`conv1D, ${padding}`, () =>
    layers.conv1D({ filters: 6, kernelSize: 4, padding, activation: "relu" }),
  );
  single(`conv1D, ${padding}, strides`, () =>
    layers.conv1D({ filters: 6, kernelSize: 3, strides: padding === "causal" ? 1 : 2, padding, groups: 2 }),
  );
  single(`conv1D, ${padding}, dilated`, () =>
    layers.conv1D({ filters: 5, kernelSize: 2, dilationRate: 3, padding, useBias: false }),
  );
}
for (const padding of ["valid", "same"] as const) {
  single(`depthwiseConv1D, ${padding}`, () =>
    layers.depthwiseConv1D({ kernelSize: 3, depthMultiplier: 2, padding }),
  );
  single(`separableConv1D, ${padding}`, () =>
    layers.separableConv1D({ filters: 5, kernelSize: 3, depthMultiplier: 2, strides: 2, padding }),
  );
  for (const [strides, kernelSize] of [
    [1, 3],
    [2, 3],
    [3, 2],
    [2, 4],
  ])
    single(`conv1DTranspose, ${padding}, ${strides}, ${kernelSize}`, () =>
      layers.conv1DTranspose({ filters: 5, kernelSize, strides, padding }),
    );
  single(`conv1DTranspose, ${padding}, outputPadding`, () =>
    layers.conv1DTranspose({
      filters: 5,
      kernelSize: 3,
      strides: 3,
      outputPadding: 2,
      padding,
      activation: "tanh",
    }),
  );
  single(`conv1DTranspose, ${padding}, dilated`, () =>
    layers.conv1DTranspose({ filters: 5, kernelSize: 3, dilationRate: 2, padding }),
  );
  single(`maxPooling1D, ${padding}`, () => layers.maxPooling1D({ poolSize: 3, strides: 2, padding }));
  single(`averagePooling1D, ${padding}`, () => layers.averagePooling1D({ poolSize: 4, strides: 1, padding }));
}
single("globalMaxPooling1D", () => layers.globalMaxPooling1D());
single("globalAveragePooling1D", () => layers.globalAveragePooling1D({ keepdims: true }));
// Where no step is kept the mean is NaN: that row is left out by a mask of what is there.
cases.push({
  name: "masking, globalAveragePooling1D",
  make() {
    const x = input({ shape: [null, 2] });
    const out = layers.globalAveragePooling1D().apply(layers.masking({ maskValue: 9 }).apply(x));
    return {
      model: model({ inputs: x, outputs: out }),
      feeds: [
        tensor([
          [
            [9, 9],
            [9, 1],
            [2, 3],
          ],
          [
            [1, 2],
            [9, 9],
            [5, 7],
          ],
        ]),
      ],
    };
  },
});
masked("globalMaxPooling1D", (x) => layers.globalMaxPooling1D().apply(x));
single("upSampling1D", () => layers.upSampling1D({ size: 3 }));
single("zeroPadding1D", () => layers.zeroPadding1D({ padding: [2, 1] }));
single("cropping1D", () => layers.cropping1D({ cropping: [1, 2] }));
single("layerNormalization", () => layers.layerNormalization());
single("layerNormalization, no scale", () => layers.layerNormalization({ scale: false, epsilon: 1e-5 }));
single("layerNormalization, no center", () => layers.layerNormalization({ center: false }));
single("layerNormalization, two axes", () => layers.layerNormalization({ axis: [1, 2] }), [6, 4]);
single("layerNormalization, rms", () => layers.layerNormalization({ rmsScaling: true }));
single("batchNormalization", () => layers.batchNormalization());
single("batchNormalization, neither scale nor center", () =>
  layers.batchNormalization({ scale: false, center: false }),
);
single("reshape", () => layers.reshape({ targetShape: [-1, 2] }));
single("reshape, known", () => layers.reshape({ targetShape: [8, 3] }), [6, 4]);
single("permute", () => layers.permute({ dims: [2, 1] }));
single("timeDistributed dense", () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }));
single(
  "timeDistributed lstm",
  () => layers.timeDistributed({ layer: layers.lstm({ units: 3 }) }),
  [null, 5, 2],
  numbers(2, 3, 5, 2),
);
cases.push({
  name: "timeDistributed embedding",
  make() {
    const x = input({ shape: [null, 3], dtype: "int32" });
    const out = layers.timeDistributed({ layer: layers.embedding({ inputDim: 5, outputDim: 2 }) }).apply(x);
    return {
      model: drawn(model({ inputs: x, outputs: out })),
      feeds: [
        tensor(
          [
            [
              [0, 1, 2],
              [3, 4, 0],
            ],
          ],
          undefined,
          "int32",
        ),
      ],
    };
  },
});
for (const [name, make] of Object.entries({ ...layers }).filter(([each]) =>
  ["add", "subtract", "multiply", "average", "maximum", "minimum"].includes(each),
)) {
  const merge = make as () => Layer;
  of(name, SEQUENCE, sequence, (x) => merge().apply([x, layers.dense({ units: 4 }).apply(x)]));
  masked(name, (x) => merge().apply([x, layers.dense({ units: 4 }).apply(x)]));
  masked(`${name}, one mask`, (x) => merge().apply([x, ops.add(x, 1)]));
  of(`${name}, other ranks`, SEQUENCE, sequence, (x) =>
    merge().apply([x, layers.lstm({ units: 4 }).apply(x)]),
  );
}
masked("multiply, other masks", (x) => {
  const other = layers.masking({ maskValue: 0 }).apply(ops.relu(x));
  return layers.lstm({ units: 3 }).apply(layers.multiply().apply([x, other]));
});
of("concatenate", SEQUENCE, sequence, (x) =>
  layers.concatenate().apply([x, layers.dense({ units: 3 }).apply(x)]),
);
masked("concatenate, along time", (x) =>
  layers.lstm({ units: 3 }).apply(layers.concatenate({ axis: 1 }).apply([x, ops.negative(x)])),
);
masked("concatenate, features", (x) =>
  layers.lstm({ units: 3 }).apply(layers.concatenate().apply([x, layers.dense({ units: 3 }).apply(x)])),
);
of("dot", SEQUENCE, sequence, (x) => layers.dot({ axes: 1 }).apply([x, layers.dense({ units: 3 }).apply(x)]));
of("dot, vectors, normalized", [4], numbers(3, 4), (x) =>
  layers.dot({ axes: -1, normalize: true }).apply([x, layers.dense({ units: 4 }).apply(x)]),
);
of("dot, steps", SEQUENCE, sequence, (x) =>
  layers.dot({ axes: 2 }).apply([x, layers.dense({ units: 4 }).apply(x)]),
);

// ------------------------------------------------------------------------------------------------------------- attention

const ATTENTIONS: Record<string, () => Layer> = {
  attention: () => layers.attention(),
  "attention, scaled": () => layers.attention({ useScale: true }),
  "attention, concat": () => layers.attention({ useScale: true, scoreMode: "concat", dropout: 0.5 }),
  additiveAttention: () => layers.additiveAttention(),
  "additiveAttention, no scale": () => layers.additiveAttention({ useScale: false }),
  multiHeadAttention: () => layers.multiHeadAttention({ numHeads: 2, keyDim: 3 }),
  "multiHeadAttention, a window, a gate": () =>
    layers.multiHeadAttention({ numHeads: 3, keyDim: 2, valueDim: 5, slidingWindow: 2, useGate: true }),
  "multiHeadAttention, two axes, dropout": () =>
    layers.multiHeadAttention({
      numHeads: 1,
      keyDim: 2,
      outputShape: [2, 3],
      useBias: false,
      dropout: 0.5,
    }),
};
for (const [name, make] of Object.entries(ATTENTIONS)) {
  const dense = (units: number, x: SymbolicTensor) => layers.dense({ units }).apply(x) as SymbolicTensor;
  for (const options of [{}, { useCausalMask: true, returnAttentionScores: true }]) {
    const how = "useCausalMask" in options ? ", causal, scores" : "";
    of(`${name}${how}`, SEQUENCE, sequence, (x) =>
      make().apply([dense(4, x), dense(3, x), dense(4, x)], options),
    );
    masked(`${name}${how}`, (x) => make().apply([dense(4, x), x], options));
  }
}
cases.push({
  name: "attention, other lengths, masks by name",
  make() {
    const [x, y] = [input({ shape: [null, 4] }), input({ shape: [null, 4] })];
    const [kept, seen] = [input({ shape: [null] }), input({ shape: [null], dtype: "int32" })];
    const [out, scores] = layers.attention().apply([x, y], {
      mask: [kept, seen],
      returnAttentionScores: true,
    });
    const feeds = [
      numbers(2, 3, 4),
      numbers(2, 4, 4),
      tensor([
        [1, 0, 1],
        [1, 1, 1],
      ]),
      tensor(
        [
          [0, 1, 1, 0],
          [1, 1, 1, 1],
        ],
        undefined,
        "int32",
      ),
    ];
    return { model: model({ inputs: [x, y, kept, seen], outputs: [out, scores] }), feeds };
  },
});
for (const shape of [
  [3, 4],
  [2, 3, 4],
  [1, 4],
]) {
  cases.push({
    name: `multiHeadAttention, masks by name, of attention [${shape}]`,
    make() {
      const [x, y] = [input({ shape: [3, 4] }), input({ shape: [4, 2] })];
      const [attentionMask, keyMask] = [input({ shape }), input({ shape: [4] })];
      const more = shape.length === 3 ? {} : { keyMask };
      const out = layers
        .multiHeadAttention({ numHeads: 2, keyDim: 3 })
        .apply([x, y], { attentionMask, ...more, useCausalMask: shape[0] === 1 });
      const bits = tensor(
        Float32Array.from(numbers(2, ...shape).data, (v) => (v > 0 ? 1 : 0)),
        [2, ...shape],
      );
      const used = shape.length === 3 ? [] : [keyMask];
      const feeds = [
        numbers(2, 3, 4),
        numbers(2, 4, 2),
        bits,
        ...used.map(() =>
          tensor([
            [1, 1, 0, 1],
            [0, 1, 1, 1],
          ]),
        ),
      ];
      return { model: drawn(model({ inputs: [x, y, attentionMask, ...used], outputs: out })), feeds };
    },
  });
}
/** Attention of x to itself takes the mask of x away; what is told masks when it is drawn is not misled. */
masked("a block of a transformer", (x) => {
  const first = layers.multiHeadAttention({ numHeads: 2, keyDim: 3 }).apply([x, x]);
  const sum = layers.layerNormalization().apply(layers.add().apply([x, first]));
  const second = layers.multiHeadAttention({ numHeads: 1, keyDim: 2 }).apply([sum, sum]);
  const joined = layers.concatenate({ axis: 1 }).apply([sum, second, x]);
  return [
    layers.lstm({ units: 3 }).apply(layers.add().apply([sum, second])),
    layers.gru({ units: 3, returnSequences: true }).apply(joined),
  ];
});

// ------------------------------------------------------------------------------------------------------------ operations

const operations: Record<string, Draw> = {
  arithmetic: (x) =>
    ops.divide(
      ops.subtract(2, ops.multiply(x, 3)),
      ops.add(ops.maximum(ops.abs(x), 0.5), ops.minimum(ops.square(x), 1)),
    ),
  "numbers last": (x) => ops.subtract(ops.divide(ops.multiply(x, x), 4), 0.25),
  quotient: (x) => ops.divide(1, ops.add(ops.square(x), 1)),
  comparisons: (x) =>
    ops.add(
      ops.where(ops.greater(x, 0.2), x, 0),
      ops.where(ops.lessEqual(x, ops.multiply(x, x)), ops.negative(x), ops.onesLike(x)),
    ),
  "more comparisons": (x) => [
    ops.less(0.1, x),
    ops.greaterEqual(x, 0),
    ops.equal(ops.sign(x), 1),
    ops.notEqual(x, 0),
  ],
  elementwise: (x) => [
    ops.sqrt(ops.abs(x)),
    ops.log(ops.add(ops.abs(x), 1)),
    ops.log1p(ops.abs(x)),
    ops.erf(x),
    ops.power(ops.abs(x), 1.5),
    ops.clip(x, -0.5, 0.7),
    ops.rsqrt(ops.exp(x)),
    ops.zerosLike(x),
  ],
  reductions: (x) => [
    ops.sum(x, { axis: 1 }),
    ops.mean(x, { axis: [1, 2] }),
    ops.max(x, { axis: -1, keepdims: true }),
    ops.min(x, { axis: [1] }),
  ],
  products: (x) => ops.matmul(ops.softmax(ops.matmul(x, ops.transpose(x, [0, 2, 1]))), x),
  shapes: (x) => ops.squeeze(ops.expandDims(ops.reshape(x, [null, -1, 2]), 1), 1),
  parts: (x) => [
    ops.slice(x, [0, -1, 1], [-1, 1, 2]),
    ops.slice(x, [0, 1, 0], [-1, -1, -1]),
    ...ops.split(x, [1, 3]),
  ],
  flip: (x) => [ops.flip(x, 1), ops.flip(x, 2)],
  stack: (x) => ops.stack([x, ops.stopGradient(ops.negative(x))], 2),
  activations: (x) => [ops.relu6(x), ops.glu(x), ops.softmax(x)],
};
for (const [name, draw] of Object.entries(operations)) of(`ops: ${name}`, SEQUENCE, sequence, draw);

// ---------------------------------------------------------------------------------------------------------- whole models

cases.push({
  name: "sequential classifier",
  make() {
    const made = sequential([
      layers.embedding({ inputDim: 7, outputDim: 5, inputShape: [null], maskZero: true }),
      layers.bidirectional({ layer: layers.gru({ units: 3, returnSequences: true }) }),
      layers.dropout({ rate: 0.3 }),
      layers.lstm({ units: 4 }),
      layers.dense({ units: 2, activation: "softmax" }),
    ]);
    return { model: drawn(made), feeds: [ids()] };
  },
});
cases.push({
  name: "a model inside a model, shared layers",
  make() {
    const inner = sequential([
      layers.lstm({ units: 3, inputShape: [null, 4] }),
      layers.dense({ units: 2, activation: "tanh" }),
    ]);
    const [a, b] = [input({ shape: [null, 4] }), input({ shape: [null, 4] })];
    const [p, q] = [inner.apply(a), inner.apply(b)];
    const out = layers.dense({ units: 1 }).apply(layers.concatenate().apply([p, q, ops.multiply(p, q)]));
    return {
      model: drawn(model({ inputs: [a, b], outputs: [out, p] })),
      feeds: [numbers(2, 5, 4), numbers(2, 3, 4)],
    };
  },
});
cases.push({
  name: "encoder and decoder with attention",
  make() {
    const [source, target] = [
      input({ shape: [null], dtype: "int32" }),
      input({ shape: [null], dtype: "int32" }),
    ];
    const embed = layers.embedding({ inputDim: 7, outputDim: 4 });
    const [states, h, c]: SymbolicTensor[] = layers
      .lstm({ units: 5, returnSequences: true, returnState: true })
      .apply(embed.apply(source));
    const decoded: SymbolicTensor = layers
      .lstm({ units: 5, returnSequences: true })
      .apply(embed.apply(target), { initialState: [h, c] });
    const weights = ops.softmax(ops.matmul(decoded, ops.transpose(states, [0, 2, 1])));
    const context = ops.matmul(weights, states);
    const out = layers
      .dense({ units: 7, activation: "softmax" })
      .apply(layers.concatenate().apply([decoded, context]));
    return {
      model: drawn(model({ inputs: [source, target], outputs: out })),
      feeds: [
        ids(),
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
            [1, 1, 1],
            [2, 2, 2],
          ],
          undefined,
          "int32",
        ),
      ],
    };
  },
});
cases.push({
  name: "fixed batch, int32 numbers",
  make() {
    const x = input({ shape: [3], dtype: "int32", batchSize: 2 });
    return {
      model: drawn(model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(ops.multiply(x, 0.5)) })),
      feeds: [
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          undefined,
          "int32",
        ),
      ],
    };
  },
});

export const CASES: readonly ModelCase[] = cases;
