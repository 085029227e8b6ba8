// `optimizers.nadam`
import { readOptions } from "../../layers/options.js";
import { power } from "../../numerics.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Adam that looks ahead as Nesterov does, with a momentum that rises step by step (Dozat 2016). Defaults: learningRate 0.001,
 * beta1 0.9, beta2 0.999, epsilon 1e-7. A step of an embedding costs what its table costs, as with adam. Keras: optimizers.Nadam. */
export function nadam(
  options: Common & { beta1?: number; beta2?: number; epsilon?: number } = {},
): Optimizer {
  const operation = "optimizers.nadam";
  const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, ...common(0.001) };
  const config = readOptions(operation, options, defaults);
  const { beta1, beta2, epsilon } = config;
  checkNumbers(operation, { beta1, beta2, epsilon });
  /** Momentum of a step. */
  const u = (step: number) => beta1 * (1 - 0.5 * power(0.96, step));
  // Their product up to a step, kept from the last one: a function of the step alone, however it is reached.
  let product = 1;
  let counted = 0;
  const productTo = (step: number) => {
    if (step < counted) [product, counted] = [1, 0];
    while (counted < step) product *= u(++counted);
    return product;
  };
  return new Optimizer(
    {
      className: "Nadam",
      slots: ["momentum", "velocity"],
      kernel: "adam",
      states: ([m, v]) => [m, v, undefined],
      numbers: [beta1, beta2, epsilon, 1],
      idle: "changes",
      settings(step, learningRate) {
        const now = productTo(step);
        const next = u(step + 1);
        return [
          (learningRate * next) / (1 - now * next),
          (learningRate * (1 - u(step))) / (1 - now),
          1 / (1 - power(beta2, step)),
        ];
      },
    },
    config,
  );
}
