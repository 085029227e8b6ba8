// `optimizers.sgd`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Gradient descent, with momentum and Nesterov's form. Defaults: learningRate 0.01, momentum 0, nesterov false.
 * Without momentum, a step of an embedding costs what its ids cost; with it, or with weightDecay, what its table costs.
 * Keras: optimizers.SGD. */
export function sgd(options: Common & { momentum?: number; nesterov?: boolean } = {}): Optimizer {
  const operation = "optimizers.sgd";
  const config = readOptions(operation, options, { momentum: 0, nesterov: false, ...common(0.01) });
  const { momentum, nesterov } = config;
  checkNumbers(operation, { momentum });
  return new Optimizer(
    {
      className: "SGD",
      slots: momentum > 0 ? ["momentum"] : [],
      kernel: "sgd",
      states: ([velocity]) => [velocity],
      numbers: [momentum, nesterov ? 1 : 0],
      idle: momentum > 0 ? "changes" : "stays",
    },
    config,
  );
}
