// A loss of each row: yTrue and yPred to one number per sample (and time step), or per `kept` first axes (all but the last by
// default). `parameters` come last in the kernel.
import { Size } from "../program/size.js";
import type { Op, Value } from "./op.js";

/** Rows, and numbers in each. */
function extent({ shape }: Value, kept: number = shape.length - 1): [Size, Size] {
  return [Size.product(shape.slice(0, kept)), Size.product(shape.slice(kept))];
}

export const loss: Op<{ kernel: string; parameters: readonly number[]; kept?: number }> = {
  name: "loss",

  mixesSamples: ([, yPred], { kept = yPred!.shape.length - 1 }) => kept === 0,

  outputs([, yPred], { kept }) {
    return [{ shape: yPred!.shape.slice(0, kept ?? yPred!.shape.length - 1) }];
  },

  forward(e, { inputs: [yTrue, yPred], outputs: [losses], attributes: { kernel, parameters, kept } }) {
    e.call(kernel, losses, yTrue!, yPred!, ...extent(yPred!, kept), ...parameters);
  },

  backward(e, { inputs: [yTrue, yPred], outputs: [losses], attributes: { kernel, parameters, kept } }) {
    const dlosses = e.gradientOf(losses)!;
    const extents = extent(yPred!, kept);
    e.call(`${kernel}Backward`, e.gradient(yPred!), dlosses, yTrue!, yPred!, ...extents, ...parameters);
  },
};
