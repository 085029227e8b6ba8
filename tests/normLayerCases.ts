// Cases of layers.test.ts for normalization layers: alone, between other layers, under masks, in a user's cell.
import { input, type Layer, layers, model, ops, type SymbolicTensor, sequential } from "../src/index.js";
import type { LayerCase } from "./layerCases.js";
import * as norm from "./normReference.js";
import * as reference from "./reference.js";
import { type Real, real } from "./reference.js";

const I = 2;
const inputShape = [null, I];
const embedding = () => layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true, inputShape: [null] });

function simple(x: Real, [kernel, R, bias]: readonly Real[], mask?: Real): Real[] {
  return reference.simpleSequence(reference.dense(x, kernel, bias), R, mask);
}

/** A layer applied with the statistics of the batch, whatever the program. */
function whileTraining(before: Layer[], layer: Layer, after: Layer[], x: SymbolicTensor) {
  let now = x;
  for (const each of before) now = each.apply(now) as SymbolicTensor;
  now = layer.apply(now, { training: true }) as SymbolicTensor;
  for (const each of after) now = each.apply(now) as SymbolicTensor;
  return model({ inputs: x, outputs: now });
}

/** h' = layer normalization of (x·W + h) */
function normalizingCell() {
  const product = layers.dense({ units: 3 });
  const normalization = layers.layerNormalization();
  return {
    stateSize: 3,
    call(x: SymbolicTensor, [h]: readonly SymbolicTensor[]) {
      const sum = ops.add(product.apply(x) as SymbolicTensor, h);
      const next = normalization.apply(sum) as SymbolicTensor;
      return [next, [next]] as const;
    },
  };
}

function normalizingSequence([kernel, bias, gamma, beta]: readonly Real[], x: Real): Real {
  const [B, T] = x.shape;
  const gates = reference.dense(x, kernel, bias);
  const data: number[] = [];
  for (let b = 0; b < B; b++) {
    let h = [0, 0, 0];
    for (let t = 0; t < T; t++) {
      const at = (b * T + t) * 3;
      const sum = real([1, 3], (k) => gates.data[at + k] + h[k]);
      h = [...norm.layerNormalization(sum, gamma, beta).data];
      data.push(...h);
    }
  }
  return { shape: [B, T, 3], data };
}

export const normLayerCases: Record<string, LayerCase[]> = {
  layerNormalization: [
    ...[1, 3, 5, 17].map(
      (units): LayerCase => ({
        name: `behind a dense layer, units ${units}`,
        make: () => sequential([layers.dense({ units, inputShape }), layers.layerNormalization()]),
        forward: ([kernel, bias, gamma, beta], x) => ({
          output: norm.layerNormalization(reference.dense(x, kernel, bias), gamma, beta),
        }),
      }),
    ),
    {
      name: "between recurrent layers under a mask",
      ids: 5,
      make: () =>
        sequential([
          embedding(),
          layers.simpleRNN({ units: 3, returnSequences: true }),
          layers.layerNormalization({ epsilon: 0.25, scale: false }),
          layers.simpleRNN({ units: 2, returnSequences: true }),
        ]),
      forward([table, ...w], ids) {
        const [first] = simple(reference.embedding(ids, table), w.slice(0, 3), ids);
        const between = norm.layerNormalization(first, undefined, w[3], { epsilon: 0.25 });
        return { output: simple(between, w.slice(4), ids)[0], mask: ids };
      },
    },
    {
      name: "over time and features, behind a recurrent layer",
      length: 7,
      make: () =>
        sequential([
          layers.simpleRNN({ units: 3, returnSequences: true, inputShape: [7, I] }),
          layers.layerNormalization({ axis: [-1, -2] }),
        ]),
      forward: ([kernel, R, bias, gamma, beta], x) => ({
        output: norm.layerNormalization(simple(x, [kernel, R, bias])[0], gamma, beta, { axes: 2 }),
      }),
    },
    {
      name: "rmsScaling",
      make: () =>
        sequential([
          layers.dense({ units: 5, inputShape }),
          layers.layerNormalization({ rmsScaling: true, axis: 2 }),
        ]),
      forward: ([kernel, bias, gamma], x) => ({
        output: norm.layerNormalization(reference.dense(x, kernel, bias), gamma, undefined, { rms: true }),
      }),
    },
    {
      name: "in a cell of one's own",
      make: () => sequential([layers.rnn({ cell: normalizingCell(), returnSequences: true, inputShape })]),
      forward: (weights, x) => ({ output: normalizingSequence(weights, x) }),
    },
  ],

  batchNormalization: [
    ...[1, 3, 17].map(
      (units): LayerCase => ({
        name: `by its moving averages, units ${units}`,
        make: () => sequential([layers.dense({ units, inputShape }), layers.batchNormalization()]),
        forward: ([kernel, bias, gamma, beta, mean, variance], x) => ({
          output: norm.normalizeColumns(reference.dense(x, kernel, bias), [mean, variance], gamma, beta),
        }),
      }),
    ),
    {
      name: "in timeDistributed, by its moving averages",
      make: () =>
        sequential([
          layers.simpleRNN({ units: 3, returnSequences: true, inputShape }),
          layers.timeDistributed({ layer: layers.batchNormalization({ center: false }) }),
        ]),
      forward([kernel, R, bias, gamma, mean, variance], x) {
        const [sequence] = simple(x, [kernel, R, bias]);
        return { output: norm.normalizeColumns(sequence, [mean, variance], gamma) };
      },
    },
    {
      name: "by its batch, between recurrent layers",
      make: () =>
        whileTraining(
          [layers.simpleRNN({ units: 3, returnSequences: true })],
          layers.batchNormalization({ epsilon: 0.25 }),
          [layers.simpleRNN({ units: 2 })],
          input({ shape: inputShape }),
        ),
      forward([kernel, R, bias, gamma, beta, , , ...last], x) {
        const [sequence] = simple(x, [kernel, R, bias]);
        const moments = norm.columnMoments(sequence);
        return { output: simple(norm.normalizeColumns(sequence, moments, gamma, beta, 0.25), last)[1] };
      },
    },
    {
      name: "by the kept steps of its batch",
      ids: 5,
      make: () =>
        whileTraining(
          [embedding(), layers.simpleRNN({ units: 3, returnSequences: true })],
          layers.batchNormalization({ epsilon: 0.25, scale: false }),
          [layers.dense({ units: 2 })],
          input({ shape: [null], dtype: "int32" }),
        ),
      forward([table, kernel, R, bias, beta, , , second, secondBias], ids) {
        const [sequence] = simple(reference.embedding(ids, table), [kernel, R, bias], ids);
        const moments = norm.columnMoments(sequence, ids);
        const normal = norm.normalizeColumns(sequence, moments, undefined, beta, 0.25);
        return { output: reference.dense(normal, second, secondBias), mask: ids };
      },
    },
  ],
};
