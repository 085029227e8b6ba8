// The calls that losses, and functions of outputs, become. Not here: which losses there are (training/losses.ts).
import { UnreelError } from "../errors.js";
import { activate } from "../layers/activations.js";
import type { Graph } from "../layers/graph.js";
import type { Flow, LoweringContext } from "../layers/kind.js";
import { wire } from "../layers/wire.js";
import type { Builder } from "../ops/builder.js";
import { loss as lossOp, maskedWeights, ones, reshape, weightedSum } from "../ops/index.js";
import { PAST_SOFTMAX } from "../ops/loss.js";
import { columns, type Value } from "../ops/op.js";
import { type Dim, Size } from "../program/size.js";
import { keptAxes, type LossSpec } from "./training.js";

/** The values of a loss: one for each row, sample or step, or a single one (shape []). */
function lossValues(
  context: LoweringContext,
  name: string,
  spec: LossSpec,
  target: Value,
  value: Value,
): Value {
  const { builder } = context;
  if ("graph" in spec) return graphValues(context, spec.graph, target, value);
  const prediction = spec.logits ? activate(builder, spec.logits, `${name}.${spec.logits}`, value) : value;
  const { kernel, parameters } = spec;
  const kept = keptAxes(spec, value.shape.length);
  const before = beforeSoftmax(builder, kernel, prediction);
  return builder.apply(lossOp, name, [target, prediction, before], { kernel, parameters, kept })[0];
}

/** What a prediction is the softmax of, where the gradient of a loss can go there at once. */
function beforeSoftmax(builder: Builder, kernel: string, prediction: Value): Value | undefined {
  // Where gradients stop, none may take another way.
  if (!prediction.wantsGradient || !PAST_SOFTMAX.includes(kernel)) return undefined;
  const node = builder.maker(prediction);
  if (node?.op.name !== "softmax") return undefined;
  const [x] = node.inputs;
  const isWhole = x!.root === x && columns(prediction) === columns(x);
  return isWhole && !(node.attributes as { logarithm: boolean }).logarithm ? x : undefined;
}

/** The values of a function of an output. */
export function graphValues(context: LoweringContext, graph: Graph, target: Value, value: Value): Value {
  const [found] = wire(context, graph, [{ value: target }, { value }]);
  return context.builder.batchMajor(found.value);
}

const same = (a: Dim, b: Dim) => Size.of(a).toString() === Size.of(b).toString();

/** Appends a loss: its values, their weights, which the host writes, and the weighted sum. */
export function appendLoss(
  context: LoweringContext,
  spec: LossSpec,
  target: Value,
  { value, mask }: Flow,
  { lossWeight, name }: { lossWeight: number; name: (what: string) => string },
): { weights: Value; loss: Value; isScalar: boolean; isMasked: boolean } {
  const { builder } = context;
  const values = lossValues(context, name("losses"), spec, target, value);
  const isScalar = values.shape.length === 0;
  const rows = values.shape.length;
  if ("graph" in spec && mask && !isScalar && mask.shape.length > rows) {
    throw new UnreelError({
      operation: "compile: loss",
      expected: `one value for each step of an output with a mask`,
      got: "a function that gives one for each sample",
      hint: "Reduce the last axis only, or all of them.",
    });
  }
  const covers = (d: Dim, axis: number) => axis < rows && same(d, values.shape[axis]);
  const isMasked = mask !== undefined && (isScalar || mask.shape.every(covers));
  // A single value is weighed once for each sample, or step of a mask.
  const weighted = isScalar ? (mask?.shape ?? value.shape.slice(0, 1)) : values.shape;
  const weights = builder.source(name("weights"), weighted, "work");
  const kept = isMasked
    ? builder.apply(maskedWeights, name("kept"), [weights, mask], { scaling: SCALING[spec.reduction] })[0]
    : weights;
  const attributes = { gradientScale: lossWeight };
  if (!isScalar) {
    const [loss] = builder.apply(weightedSum, name("loss"), [values, kept], attributes);
    return { weights, loss, isScalar, isMasked };
  }
  const [all] = builder.apply(ones, name("ones"), [], { shape: weighted });
  const [total] = builder.apply(weightedSum, name("weight"), [kept, all], { gradientScale: 1 });
  const [one] = builder.apply(reshape, name("value"), [values], { shape: [1] });
  const [loss] = builder.apply(weightedSum, name("loss"), [one, total], attributes);
  return { weights, loss, isScalar, isMasked };
}

/** What a mask does to the weights that are left (ops/maskedWeights.ts). */
const SCALING = {
  sumOverBatchSize: "mean",
  mean: "mean",
  meanWithSampleWeight: "toOne",
  sum: "none",
  none: "none",
} as const;
