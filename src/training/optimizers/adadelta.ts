// `optimizers.adadelta`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Steps as large as the recent ones were, in units of the weight itself (Zeiler 2012). Defaults: learningRate 0.001 (the paper:
 * 1), rho 0.95, epsilon 1e-7. Keras: optimizers.Adadelta. */
export function adadelta(options: Common & { rho?: number; epsilon?: number } = {}): Optimizer {
  const operation = "optimizers.adadelta";
  const config = readOptions(operation, options, { rho: 0.95, epsilon: 1e-7, ...common(0.001) });
  const { rho, epsilon } = config;
  checkNumbers(operation, { rho, epsilon });
  return new Optimizer(
    {
      className: "Adadelta",
      slots: ["accumulated_grad", "accumulated_delta_var"],
      update: (emit, { weight, gradient, slots: [squares, steps], size }, hyper) =>
        emit("adadelta", weight, squares, steps, gradient, size, hyper, rho, epsilon),
    },
    config,
  );
}
