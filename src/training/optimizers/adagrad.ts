// `optimizers.adagrad`
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Gradients over the root of the sum of their squares: rare features learn faster (Duchi et al. 2011). Defaults: learningRate
 * 0.001, initialAccumulatorValue 0.1 (where that sum begins), epsilon 1e-7. Keras: optimizers.Adagrad. */
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
      update: (emit, { weight, gradient, slots: [accumulator], size }, hyper) =>
        emit("adagrad", weight, accumulator, gradient, size, hyper, epsilon),
    },
    config,
  );
}
