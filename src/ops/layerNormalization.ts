// Layer normalization over the last `columns` numbers of each row, in whatever order rows lie: (x - mean) / sqrt(variance + epsilon),
// times gamma, plus beta. x [rows, columns], gamma and beta [columns] or absent.
import { Size } from "../program/size.js";
import type { Op, Value } from "./op.js";
import { hasSamples } from "./samples.js";

interface Attributes {
  /** How many of the last axes are one row. */
  axes: number;
  epsilon: number;
  /** The mean stays in (keras.layers.LayerNormalization, rms_scaling). */
  rms: boolean;
}

function extent({ shape }: Value, axes: number) {
  return [Size.product(shape.slice(0, -axes)), Size.product(shape.slice(-axes))] as const;
}

export const layerNormalization: Op<Attributes> = {
  name: "layerNormalization",

  mixesSamples: ([x], { axes }) => x!.shape.slice(-axes).some(hasSamples),

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, node) {
    const { name, inputs, outputs, attributes, saved } = node;
    const [x, gamma, beta] = inputs;
    const { axes, epsilon, rms } = attributes;
    const [rows, columns] = extent(x!, axes);
    saved.stats = e.allocate(`${name}.stats`, rows.times(8));
    const flag = rms ? 1 : 0;
    e.call(
      "layerNormalization",
      outputs[0],
      saved.stats,
      x!,
      gamma ?? 0,
      beta ?? 0,
      rows,
      columns,
      epsilon,
      flag,
    );
  },

  backward(e, { inputs: [x, gamma, beta], outputs: [out], attributes: { axes, rms }, saved: { stats } }) {
    const gradient = (value: Value | undefined) => (e.wants(value) ? e.gradient(value) : 0);
    const [dx, dgamma, dbeta] = [x, gamma, beta].map(gradient);
    const dout = e.gradientOf(out)!;
    e.call(
      "layerNormalizationBackward",
      dx,
      dgamma,
      dbeta,
      dout,
      x!,
      stats,
      gamma ?? 0,
      ...extent(x!, axes),
      rms ? 1 : 0,
    );
  },
};
