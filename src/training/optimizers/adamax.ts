// `optimizers.adamax`
import { readOptions } from "../../layers/options.js";
import { power } from "../../numerics.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Adam with the largest recent gradient in place of the mean square (Kingma & Ba 2015, section 7.1). Defaults: learningRate
 * 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7. A step of an embedding costs what its table costs, as with adam. Keras: optimizers.Adamax. */
export function adamax(
  options: Common & { beta1?: number; beta2?: number; epsilon?: number } = {},
): Optimizer {
  const operation = "optimizers.adamax";
  const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, ...common(0.001) };
  const config = readOptions(operation, options, defaults);
  const { beta1, beta2, epsilon } = config;
  checkNumbers(operation, { beta1, beta2, epsilon });
  return new Optimizer(
    {
      className: "Adamax",
      slots: ["momentum", "norm"],
      kernel: "adamax",
      numbers: [beta1, beta2, epsilon],
      idle: "changes",
      settings: (step, learningRate) => [learningRate / (1 - power(beta1, step))],
    },
    config,
  );
}
