// A loss of each row: yTrue and yPred to one number per sample (and time step). `parameters` come last in the kernel.
import { columns, type Op, rows } from "./op.js";

export const loss: Op<{ kernel: string; parameters: readonly number[] }> = {
  name: "loss",

  outputs([, yPred]) {
    return [{ shape: yPred!.shape.slice(0, -1) }];
  },

  forward(e, { inputs: [yTrue, yPred], outputs: [losses], attributes: { kernel, parameters } }) {
    e.call(kernel, losses, yTrue!, yPred!, rows(yPred!), columns(yPred!), ...parameters);
  },

  backward(e, { inputs: [yTrue, yPred], outputs: [losses], attributes: { kernel, parameters } }) {
    const dlosses = e.gradientOf(losses)!;
    e.call(
      `${kernel}Backward`,
      e.gradient(yPred!),
      dlosses,
      yTrue!,
      yPred!,
      rows(yPred!),
      columns(yPred!),
      ...parameters,
    );
  },
};
