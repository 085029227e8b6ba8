// `optimizers.rmsprop`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Gradients over the root of their running mean square (Hinton 2012). Defaults: learningRate 0.001, rho 0.9, momentum 0,
 * epsilon 1e-7, centered false. A step of an embedding costs what its ids cost, except with momentum, centered, epsilon 0 or weightDecay:
 * then what its table costs. Keras: optimizers.RMSprop. */
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
      kernel: "rmsprop",
      states: ([velocity, ...rest]) => [
        velocity,
        momentum > 0 ? rest[0] : undefined,
        centered ? rest.at(-1) : undefined,
      ],
      numbers: [rho, momentum, epsilon, 0],
      // A centered variance may fall below zero by rounding, and without epsilon 0 / 0 would be due.
      idle: momentum > 0 || centered || Math.fround(epsilon) === 0 ? "changes" : "decays",
    },
    config,
  );
}
