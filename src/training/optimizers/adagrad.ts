// `optimizers.adagrad`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Gradients over the root of the sum of their squares: rare features learn faster (Duchi et al. 2011). Defaults: learningRate
 * 0.001, initialAccumulatorValue 0.1 (where that sum begins), epsilon 1e-7. A step of an embedding costs what its ids cost, with weightDecay what its table costs. Keras: optimizers.Adagrad. */
export function adagrad(
  options: Common & { initialAccumulatorValue?: number; epsilon?: number } = {},
): Optimizer {
  const operation = "optimizers.adagrad";
  const defaults = { initialAccumulatorValue: 0.1, epsilon: 1e-7, ...common(0.001) };
  const config = readOptions(operation, options, defaults);
  const { initialAccumulatorValue, epsilon } = config;
  checkNumbers(operation, { initialAccumulatorValue, epsilon });
  return new Optimizer(
    {
      className: "Adagrad",
      slots: ["accumulator"],
      initial: [initialAccumulatorValue],
      // RMSprop with a sum in place of the mean.
      kernel: "rmsprop",
      states: ([accumulator]) => [accumulator, undefined, undefined],
      numbers: [1, 0, epsilon, 1],
      // With both at zero, 0 / 0 is due for what has no gradient.
      idle: Math.fround(epsilon) + Math.fround(initialAccumulatorValue) === 0 ? "changes" : "stays",
    },
    config,
  );
}
