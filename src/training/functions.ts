// Losses and metrics that are functions of symbolic tensors: asked once for a compiled model, they become a little graph.
// Not here: how that graph is lowered (graph/lower.ts) and how its values are averaged (metrics/).
import { show, UnreelError } from "../errors.js";
import { input } from "../layers/core.js";
import { type Graph, makeGraph } from "../layers/graph.js";
import { snakeCase } from "../layers/options.js";
import { type Shape, SymbolicTensor, showShape } from "../layers/symbolic.js";

/** A loss or a metric written with layers and `ops.*`. yTrue and yPred are float32, the batch in front. It gives one number for each
 * sample, step or value, or a single one. */
export type TensorFunction = (yTrue: SymbolicTensor, yPred: SymbolicTensor) => SymbolicTensor;

/** The graph of a function, from yTrue and yPred to its values. */
export function functionGraph(operation: string, given: TensorFunction, yTrue: Shape, yPred: Shape): Graph {
  const source = (name: string, [batchSize, ...shape]: Shape) =>
    input({ name, shape, batchSize: batchSize ?? undefined });
  const inputs = [source("yTrue", yTrue), source("yPred", yPred)];
  const result: unknown = given(inputs[0], inputs[1]);
  const hint = "Write it with layers and ops.*, as (yTrue, yPred) => ops.abs(ops.subtract(yTrue, yPred)).";
  if (!(result instanceof SymbolicTensor)) {
    throw new UnreelError({ operation, expected: "a symbolic tensor", got: show(result), hint });
  }
  if (result.shape.length > 0 && result.shape[0] !== yPred[0]) {
    const expected = "values that begin with the batch, or a single one";
    throw new UnreelError({ operation, expected, got: `shape ${showShape(result.shape)}`, hint });
  }
  const graph = makeGraph(operation, inputs, [result], { unusedInputs: true });
  if (graph.weights.length > 0) {
    throw new UnreelError({
      operation,
      expected: "a function without weights",
      got: `weight '${graph.weights[0].name}'`,
      hint: "Put layers with weights into the model: what a loss holds is not trained.",
    });
  }
  return graph;
}

/** Its name in histories, as Keras writes it: `mean_distance`, or `lambda` for one without. */
export function functionName(given: TensorFunction): string {
  return snakeCase(given.name || "lambda");
}
