// `optimizers.rmsprop`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Gradients over the root of their running mean square (Hinton 2012). Defaults: learningRate 0.001, rho 0.9, momentum 0,
 * epsilon 1e-7, centered false. Keras: optimizers.RMSprop. */
export function rmsprop(
  options: Common & { rho?: number; momentum?: number; epsilon?: number; centered?: boolean } = {},
): Optimizer {
  const operation = "optimizers.rmsprop";
  const defaults = { rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false, ...common(0.001) };
  const config = readOptions(operation, options, defaults);
  const { rho, momentum, epsilon, centered } = config;
  checkNumbers(operation, { rho, momentum, epsilon });
  return new Optimizer(
    {
      className: "RMSprop",
      slots: ["velocity", ...(momentum > 0 ? ["momentum"] : []), ...(centered ? ["average_gradient"] : [])],
      update(emit, { weight, gradient, slots: [velocity, ...rest], size }, hyper) {
        const buffer = momentum > 0 ? rest[0] : 0;
        const average = centered ? rest.at(-1)! : 0;
        emit("rmsprop", weight, velocity, buffer, average, gradient, size, hyper, rho, momentum, epsilon);
      },
    },
    config,
  );
}
