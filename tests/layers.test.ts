// Every layer of the registry in a small model: outputs, loss and the gradient of the loss by every weight, against a float64
// model made of reference functions. One model serves every batch size and every length. A layer without a case here fails.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { input, type Layer, layers, model, type SymbolicTensor, sequential, Tensor } from "../src/index.js";
import { attentionLayerCases } from "./attentionCases.js";
import { convLayerCases } from "./convLayerCases.js";
import { centralDifferences, integers, numbers } from "./gradcheck.js";
import { type LayerCase, layerCases } from "./layerCases.js";
import { normLayerCases } from "./normLayerCases.js";
import * as reference from "./reference.js";
import { type Real, real } from "./reference.js";
import { assertClose, gradients } from "./support.js";

/** What a model gives, and the mask [B, T] of its steps when there is one. */
type Result = { output: Real; mask?: Real };

type Case = LayerCase;

const I = 2;
const inputShape = [null, I];

const tensorOf = ({ shape, data }: Real, isIds = false): Tensor =>
  new Tensor(isIds ? Int32Array.from(data) : Float32Array.from(data), shape);

/** A recurrent layer as Keras builds it: input product, the sequence, its states; mask and direction included. */
function recurrent(
  cell: "simpleRNN" | "lstm" | "gru",
  x: Real,
  [kernel, R, bias]: readonly (Real | undefined)[],
  options: { resetAfter?: boolean; goBackwards?: boolean; mask?: Real; initial?: readonly Real[] } = {},
): Real[] {
  const { resetAfter = true, goBackwards = false, initial = [] } = options;
  const turn = (value: Real) => (goBackwards ? reference.reverse(value) : value);
  const mask = options.mask && turn(options.mask);
  const rows = cell === "gru" && resetAfter && bias ? reference.rowsOf(bias) : undefined;
  const vector = (data: number[] | undefined) => data && { shape: [data.length], data };
  const gates = reference.dense(turn(x), kernel!, rows ? vector(rows[0]) : bias);
  if (cell === "simpleRNN") return reference.simpleSequence(gates, R!, mask, initial[0]);
  if (cell === "lstm") return reference.lstmSequence(gates, R!, mask, initial[0], initial[1]);
  return reference.gruSequence(gates, R!, { resetAfter, mask, initial: initial[0], bias: vector(rows?.[1]) });
}

const embed = (maskZero: boolean) =>
  layers.embedding({ inputDim: 5, outputDim: 3, maskZero, inputShape: [null] });

/** What the three recurrent layers have in common, each with `extra` options. */
function recurrentCases(cell: "simpleRNN" | "lstm" | "gru", extra: { resetAfter?: boolean } = {}): Case[] {
  const make = layers[cell] as (options: object) => Layer;
  const name = (what: string) => `${what} ${JSON.stringify(extra)}`;
  const states = cell === "lstm" ? 2 : 1;
  return [
    ...[1, 3, 5].map(
      (units): Case => ({
        name: name(`sequences, units ${units}`),
        make: () => sequential([make({ units, returnSequences: true, inputShape, ...extra })]),
        forward: (weights, x) => ({ output: recurrent(cell, x, weights, extra)[0] }),
      }),
    ),
    {
      name: name("last output, backwards, without bias"),
      make: () => sequential([make({ units: 3, useBias: false, goBackwards: true, inputShape, ...extra })]),
      forward: (weights, x) => ({ output: recurrent(cell, x, weights, { ...extra, goBackwards: true })[1] }),
    },
    {
      name: name("two of them under a mask, a dense layer over the steps"),
      ids: 5,
      make: () =>
        sequential([
          embed(true),
          make({ units: 3, returnSequences: true, ...extra }),
          make({ units: 2, returnSequences: true, ...extra }),
          layers.dense({ units: 2 }),
        ]),
      forward([table, ...rest], ids) {
        const masked = { ...extra, mask: ids };
        const [first] = recurrent(cell, reference.embedding(ids, table), rest.slice(0, 3), masked);
        const [second] = recurrent(cell, first, rest.slice(3, 6), masked);
        return { output: reference.dense(second, rest[6], rest[7]), mask: ids };
      },
    },
    {
      name: name("last output under a mask, backwards"),
      ids: 5,
      make: () => sequential([embed(true), make({ units: 3, goBackwards: true, ...extra })]),
      forward([table, ...weights], ids) {
        const x = reference.embedding(ids, table);
        return { output: recurrent(cell, x, weights, { ...extra, mask: ids, goBackwards: true })[1] };
      },
    },
    {
      name: name("states of one are the initial states of another"),
      make() {
        const x = input({ shape: inputShape });
        const [, ...last] = make({ units: 3, returnState: true, ...extra }).apply(x) as SymbolicTensor[];
        const y = make({ units: 3, returnSequences: true, ...extra }).apply(x, { initialState: last });
        return model({ inputs: x, outputs: y as SymbolicTensor });
      },
      forward(weights, x) {
        const initial = recurrent(cell, x, weights.slice(0, 3), extra).slice(1, 1 + states);
        return { output: recurrent(cell, x, weights.slice(3), { ...extra, initial })[0] };
      },
    },
  ];
}

const cases: Record<string, Case[]> = {
  dense: [
    ...[1, 3, 5, 17].map(
      (units): Case => ({
        name: `units ${units}`,
        make: () => sequential([layers.dense({ units, inputShape })]),
        forward: ([kernel, bias], x) => ({ output: reference.dense(x, kernel, bias) }),
      }),
    ),
    {
      name: "activations, with and without bias",
      make: () =>
        sequential([
          layers.dense({ units: 5, activation: "tanh", useBias: false, inputShape }),
          layers.dense({ units: 3, activation: "softmax" }),
        ]),
      forward([first, second, bias], x) {
        const hidden = reference.activation(reference.dense(x, first), "tanh");
        return { output: reference.softmax(reference.dense(hidden, second, bias)) };
      },
    },
    {
      name: "applied twice",
      make() {
        const x = input({ shape: inputShape });
        const shared = layers.dense({ units: I, activation: "sigmoid" });
        const once = shared.apply(x) as SymbolicTensor;
        return model({ inputs: x, outputs: shared.apply(once) as SymbolicTensor });
      },
      forward([kernel, bias], x) {
        const once = reference.activation(reference.dense(x, kernel, bias), "sigmoid");
        return { output: reference.activation(reference.dense(once, kernel, bias), "sigmoid") };
      },
    },
  ],
  activation: ["gelu", "logSoftmax", "linear", "leakyRelu"].map(
    (activation): Case => ({
      name: activation,
      make: () => sequential([layers.dense({ units: 5, inputShape }), layers.activation({ activation })]),
      forward([kernel, bias], x) {
        const product = reference.dense(x, kernel, bias);
        if (activation === "linear") return { output: product };
        if (activation === "logSoftmax") return { output: reference.logSoftmax(product) };
        return { output: reference.activation(product, activation) };
      },
    }),
  ),
  // What it adds to the loss: regularization.test.ts.
  activityRegularization: [
    {
      name: "of nothing passes its input on",
      make: () => sequential([layers.dense({ units: 3, inputShape }), layers.activityRegularization()]),
      forward: ([kernel, bias], x) => ({ output: reference.dense(x, kernel, bias) }),
    },
  ],
  flatten: [
    {
      name: "between a recurrent and a dense layer",
      length: 7,
      make: () =>
        sequential([
          layers.simpleRNN({ units: 3, returnSequences: true, inputShape: [7, I] }),
          layers.flatten(),
          layers.dense({ units: 2 }),
        ]),
      forward([kernel, R, bias, second, secondBias], x) {
        const [sequence] = recurrent("simpleRNN", x, [kernel, R, bias]);
        const flat = reference.reshape(sequence, [x.shape[0], 21]);
        return { output: reference.dense(flat, second, secondBias) };
      },
    },
  ],
  embedding: [false, true].map(
    (maskZero): Case => ({
      name: `maskZero ${maskZero}`,
      ids: 5,
      make: () => sequential([embed(maskZero), layers.dense({ units: 2 })]),
      forward: ([table, kernel, bias], ids) => ({
        output: reference.dense(reference.embedding(ids, table), kernel, bias),
        mask: maskZero ? ids : undefined,
      }),
    }),
  ),
  simpleRNN: recurrentCases("simpleRNN"),
  lstm: recurrentCases("lstm"),
  gru: [...recurrentCases("gru", { resetAfter: true }), ...recurrentCases("gru", { resetAfter: false })],
  ...layerCases,
  ...normLayerCases,
  ...convLayerCases,
  ...attentionLayerCases,
};

/** Layers whose test stands elsewhere: what is random in noise.test.ts, cells' and rnn's in rnn.test.ts, against the fused layers. */
const APART = [
  "dropout",
  "spatialDropout1D",
  "gaussianNoise",
  "rnn",
  "simpleRNNCell",
  "lstmCell",
  "gruCell",
  "stackedRNNCells",
];
const SIZES = [1, 3, 5].flatMap((B) => [1, 7].map((T) => ({ B, T })));

/** Mean squared error over the steps that are kept. */
function meanSquaredError({ output, mask }: Result, target: Real): number {
  const rows = reference.loss(target, output, "meanSquaredError");
  const weights = real(rows.shape, () => 1 / rows.data.length);
  return reference.weightedSum(rows, mask ? reference.maskedWeights(weights, mask) : weights).data[0];
}

/** Ids in which padding stands at the beginning, in the middle and at the end; the first of each row is kept now and then. */
function inputFor({ ids }: Case, B: number, T: number): Real {
  if (ids === undefined) return numbers([B, T, I], 1);
  const drawn = integers([B, T], 2, ids - 1);
  const isPadding = (i: number) => T > 1 && [i % 3 === 0 ? 0 : T - 1, 3].includes(i % T);
  return real([B, T], (i) => (isPadding(i) ? 0 : drawn.data[i] + 1));
}

for (const name of Object.keys(layers)) {
  test(`${name}: has a case`, () => {
    const present = APART.includes(name) || cases[name]?.length > 0;
    assert.ok(present, `layer ${name} needs a case in tests/layers.test.ts`);
  });
  for (const each of cases[name] ?? []) {
    test(`${name}: ${each.name}`, async () => {
      const made = each.make();
      const known = made.layers.flatMap((layer) => layer.weights);
      const weights = known.map(({ shape, name }, index) =>
        name.endsWith("moving_variance")
          ? numbers(shape, 50 + index, 0.25, 1.5)
          : numbers(shape, 50 + index, -0.75, 0.75),
      );
      made.setWeights(weights.map((weight) => tensorOf(weight)));
      made.compile({ loss: "meanSquaredError" });
      for (const { B, T } of each.length ? SIZES.filter(({ T }) => T === each.length) : SIZES) {
        const at = `B=${B} T=${T}`;
        const x = inputFor(each, B, T);
        const given = tensorOf(x, each.ids !== undefined);
        const expected = each.forward(weights, x);
        const target = numbers(expected.output.shape, 3);
        const loss = (changed: readonly Real[]) => meanSquaredError(each.forward(changed, x), target);

        const output = (await made.predict(given)) as Tensor;
        assert.equal([...output.shape], expected.output.shape);
        assertClose(`${at}: output`, output.data, expected.output.data);
        const evaluated = await made.evaluate(given, tensorOf(target), { batchSize: 100 });
        assertClose(`${at}: loss`, [evaluated.loss], [loss(weights)]);
        const found = await gradients(made, given, tensorOf(target), { loss: "meanSquaredError" });
        assertClose(`${at}: training loss`, [found.loss], [loss(weights)]);
        assert.is(found.weights.length, weights.length);
        centralDifferences(loss, weights).forEach((slopes, index) => {
          const gradient = found.weights[index];
          if (!known[index].trainable) {
            assert.is(gradient, undefined, `${at}: weight ${index} has none`);
            return;
          }
          assert.ok(gradient, `${at}: weight ${index} has a gradient`);
          assertClose(`${at}: gradient of weight ${index}`, gradient, slopes);
        });
      }
      made.dispose();
    });
  }
}

test.run();
