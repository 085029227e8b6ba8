// A loss of each row: yTrue and yPred to one number per sample (and time step), or per `kept` first axes (all but the last by
// default). `parameters` come last in the kernel.
// Inputs: yTrue, yPred and, for a kernel of PAST_SOFTMAX, what yPred is the softmax of: its gradient then comes at once, and none goes
// through yPred.
import { Size } from "../program/size.js";
import type { Op, Value } from "./op.js";

/** Rows, and numbers in each. */
function extent({ shape }: Value, kept: number = shape.length - 1): [Size, Size] {
  return [Size.product(shape.slice(0, kept)), Size.product(shape.slice(kept))];
}

/** The losses that can tell the gradient of what their probabilities are the softmax of. */
export const PAST_SOFTMAX: readonly string[] = ["categoricalCrossentropy", "sparseCategoricalCrossentropy"];

export const loss: Op<{ kernel: string; parameters: readonly number[]; kept?: number }> = {
  name: "loss",

  mixesSamples: ([, yPred], { kept = yPred!.shape.length - 1 }) => kept === 0,

  outputs([, yPred], { kept }) {
    return [{ shape: yPred!.shape.slice(0, kept ?? yPred!.shape.length - 1) }];
  },

  forward(e, { inputs: [yTrue, yPred], outputs: [losses], attributes: { kernel, parameters, kept } }) {
    e.call(kernel, losses, yTrue!, yPred!, ...extent(yPred!, kept), ...parameters);
  },

  backward(
    e,
    { inputs: [yTrue, yPred, before], outputs: [losses], attributes: { kernel, parameters, kept } },
  ) {
    const dlosses = e.gradientOf(losses)!;
    const extents = extent(yPred!, kept);
    if (before && !e.gradientOf(before)) {
      const { pointer } = e.accumulator(before);
      e.call(`${kernel}SoftmaxBackward`, pointer, dlosses, yTrue!, yPred!, ...extents, ...parameters);
      return;
    }
    e.call(`${kernel}Backward`, e.gradient(yPred!), dlosses, yTrue!, yPred!, ...extents, ...parameters);
  },
};
