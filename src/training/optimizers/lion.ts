// `optimizers.lion`
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

/** Steps of one length, in the direction that momentum and gradient point to (Chen et al. 2023): a smaller learning rate than
 * Adam's, and more decay. Defaults: learningRate 0.001, beta1 0.9, beta2 0.99. A step of an embedding costs what its table costs, as with adam. Keras: optimizers.Lion. */
export function lion(options: Common & { beta1?: number; beta2?: number } = {}): Optimizer {
  const operation = "optimizers.lion";
  const config = readOptions(operation, options, { beta1: 0.9, beta2: 0.99, ...common(0.001) });
  const { beta1, beta2 } = config;
  if (!(beta1 > 0 && beta1 <= 1)) {
    throw new UnreelError({
      operation: `${operation}: beta1`,
      expected: "a number in (0, 1]",
      got: show(beta1),
      hint: "With 0 only the gradient's sign would count.",
    });
  }
  checkNumbers(operation, { beta2 });
  return new Optimizer(
    {
      className: "Lion",
      slots: ["momentum"],
      kernel: "lion",
      numbers: [beta1, beta2],
      idle: "changes",
    },
    config,
  );
}
