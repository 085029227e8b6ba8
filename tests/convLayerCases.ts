// Cases of layers.test.ts for convolutions, pooling and layers that make sequences longer or shorter: any length by one model.
import { type Layer, layers, sequential } from "../src/index.js";
import * as conv from "./convReference.js";
import type { LayerCase } from "./layerCases.js";
import type { Real } from "./reference.js";
import * as reference from "./reference.js";

const inputShape = [null, 2];
const I = 3;

/** Behind a recurrent layer, whose sequence lies time-major, and behind a dense one. */
function behind(
  name: string,
  make: () => Layer,
  forward: (x: Real, weights: readonly Real[]) => Real,
): LayerCase[] {
  return [
    {
      name: `${name}, behind a dense layer`,
      make: () => sequential([layers.dense({ units: I, inputShape }), make()]),
      forward: ([kernel, bias, ...rest], x) => ({ output: forward(reference.dense(x, kernel, bias), rest) }),
    },
    {
      name: `${name}, behind a recurrent layer`,
      make: () => sequential([layers.simpleRNN({ units: I, returnSequences: true, inputShape }), make()]),
      forward: ([kernel, R, bias, ...rest], x) => {
        const [hidden] = reference.simpleSequence(reference.dense(x, kernel, bias), R);
        return { output: forward(hidden, rest) };
      },
    },
  ];
}

const same = (stride: number, dilation = 1) => ({ padding: "same" as const, stride, dilation });
const mean = (x: Real, weight: (t: number, b: number) => number = () => 1): Real => {
  const [B, T, C] = x.shape;
  const summed = conv.sequence([B, 1, C], (b, _, c) => {
    let [sum, count] = [0, 0];
    for (let t = 0; t < T; t++) {
      sum += weight(t, b) * x.data[(b * T + t) * C + c];
      count += weight(t, b);
    }
    return sum / count;
  });
  return { shape: [B, C], data: summed.data };
};

/** The largest of all steps. */
const largest = (x: Real): Real => {
  const { data } = conv.pool(x, x.shape[1], false, {});
  return { shape: [x.shape[0], x.shape[2]], data };
};

export const convLayerCases: Record<string, LayerCase[]> = {
  conv1D: [
    ...behind(
      "same",
      () => layers.conv1D({ filters: 5, kernelSize: 3, padding: "same" }),
      (x, [kernel, bias]) => conv.conv1D(x, kernel, bias, same(1)),
    ),
    ...behind(
      "same, strides 2, tanh",
      () => layers.conv1D({ filters: 5, kernelSize: [4], strides: [2], padding: "same", activation: "tanh" }),
      (x, [kernel, bias]) => reference.activation(conv.conv1D(x, kernel, bias, same(2)), "tanh"),
    ),
    ...behind(
      "causal, dilation 2, groups",
      () =>
        layers.conv1D({
          filters: 6,
          kernelSize: 3,
          padding: "causal",
          dilationRate: 2,
          groups: 3,
          useBias: false,
        }),
      (x, [kernel]) => conv.conv1D(x, kernel, undefined, { padding: "causal", dilation: 2, groups: 3 }),
    ),
    ...behind(
      "one tap",
      () => layers.conv1D({ filters: 17, kernelSize: 1 }),
      (x, [kernel, bias]) => conv.conv1D(x, kernel, bias),
    ),
  ],
  depthwiseConv1D: [
    ...behind(
      "same",
      () => layers.depthwiseConv1D({ kernelSize: 3, padding: "same" }),
      (x, [kernel, bias]) => conv.depthwiseConv1D(x, kernel, bias, same(1)),
    ),
    ...behind(
      "same, strides 3, two filters each",
      () => layers.depthwiseConv1D({ kernelSize: 2, strides: 3, depthMultiplier: 2, padding: "same" }),
      (x, [kernel, bias]) => conv.depthwiseConv1D(x, kernel, bias, same(3)),
    ),
  ],
  separableConv1D: behind(
    "same, dilation 2",
    () =>
      layers.separableConv1D({
        filters: 5,
        kernelSize: 3,
        depthMultiplier: 2,
        dilationRate: 2,
        padding: "same",
      }),
    (x, [first, { shape, data }, bias]) => {
      const between = conv.depthwiseConv1D(x, first, undefined, same(1, 2));
      return reference.dense(between, { shape: shape.slice(1), data }, bias);
    },
  ),
  conv1DTranspose: [
    ...behind(
      "same, strides 2",
      () => layers.conv1DTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "same" }),
      (x, [kernel, bias]) =>
        conv.conv1DTranspose(x, kernel, bias, { stride: 2 }, { from: 0, steps: x.shape[1] * 2 }),
    ),
    ...behind(
      "valid, dilation 3",
      () => layers.conv1DTranspose({ filters: 4, kernelSize: 2, dilationRate: 3, useBias: false }),
      (x, [kernel]) =>
        conv.conv1DTranspose(x, kernel, undefined, { dilation: 3 }, { from: 0, steps: x.shape[1] + 3 }),
    ),
  ],
  maxPooling1D: [
    ...behind(
      "same",
      () => layers.maxPooling1D({ padding: "same" }),
      (x) => conv.pool(x, 2, false, same(2)),
    ),
    ...behind(
      "same, strides 1",
      () => layers.maxPooling1D({ poolSize: 3, strides: 1, padding: "same" }),
      (x) => conv.pool(x, 3, false, same(1)),
    ),
  ],
  averagePooling1D: [
    ...behind(
      "same",
      () => layers.averagePooling1D({ poolSize: 3, strides: 2, padding: "same" }),
      (x) => conv.pool(x, 3, true, same(2)),
    ),
    ...behind(
      "one step in three",
      () => layers.averagePooling1D({ poolSize: 1, strides: 3 }),
      (x) => conv.pool(x, 1, true, { stride: 3 }),
    ),
  ],
  globalMaxPooling1D: [
    ...behind("alone", () => layers.globalMaxPooling1D(), largest),
    ...behind(
      "keepdims",
      () => layers.globalMaxPooling1D({ keepdims: true }),
      (x) => reference.reshape(largest(x), [x.shape[0], 1, I]),
    ),
  ],
  globalAveragePooling1D: [
    ...behind(
      "alone",
      () => layers.globalAveragePooling1D(),
      (x) => mean(x),
    ),
    ...[false, true].map(
      (keepdims): LayerCase => ({
        name: `of the steps that a mask keeps, keepdims ${keepdims}`,
        ids: 5,
        make: () =>
          sequential([
            layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true, inputShape: [null] }),
            layers.globalAveragePooling1D({ keepdims }),
            layers.dense({ units: 2 }),
          ]),
        forward([table, kernel, bias], ids) {
          const x = reference.embedding(ids, table);
          const kept = mean(x, (t, b) => (ids.data[b * ids.shape[1] + t] === 0 ? 0 : 1));
          const shaped = keepdims ? reference.reshape(kept, [ids.shape[0], 1, 3]) : kept;
          return { output: reference.dense(shaped, kernel, bias) };
        },
      }),
    ),
  ],
  upSampling1D: behind(
    "three times",
    () => layers.upSampling1D({ size: 3 }),
    (x) => {
      const [B, T, C] = x.shape;
      return conv.sequence([B, T * 3, C], (b, t, c) => x.data[(b * T + Math.floor(t / 3)) * C + c]);
    },
  ),
  zeroPadding1D: behind(
    "two before, one behind",
    () => layers.zeroPadding1D({ padding: [2, 1] }),
    (x) => conv.pad(x, 2, 1),
  ),
  cropping1D: behind(
    "of what was made longer",
    () => layers.cropping1D({ cropping: 0 }),
    (x) => x,
  ).concat({
    name: "of a fixed length",
    length: 7,
    make: () =>
      sequential([layers.dense({ units: 3, inputShape: [7, 2] }), layers.cropping1D({ cropping: [2, 1] })]),
    forward: ([kernel, bias], x) => ({ output: conv.pad(reference.dense(x, kernel, bias), -2, -1) }),
  }),
};
