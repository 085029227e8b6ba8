// `optimizers.adadelta`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Steps as large as the recent ones were, in units of the weight itself (Zeiler 2012). Defaults: learningRate 0.001 (the paper:
 * 1), rho 0.95, epsilon 1e-7. A step of an embedding costs what its ids cost, with epsilon 0 or weightDecay what its table costs.
 * Keras: optimizers.Adadelta. */
export function adadelta(options: Common & { rho?: number; epsilon?: number } = {}): Optimizer {
  const operation = "optimizers.adadelta";
  const config = readOptions(operation, options, { rho: 0.95, epsilon: 1e-7, ...common(0.001) });
  const { rho, epsilon } = config;
  checkNumbers(operation, { rho, epsilon });
  return new Optimizer(
    {
      className: "Adadelta",
      slots: ["accumulated_grad", "accumulated_delta_var"],
      kernel: "adadelta",
      numbers: [rho, epsilon],
      // Without epsilon, 0 / 0 is due for what has no gradient.
      idle: Math.fround(epsilon) === 0 ? "changes" : "decays",
    },
    config,
  );
}
