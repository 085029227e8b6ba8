// What compile is given, for one output or several: losses, metrics and weights by name, list or record, made into objects.
import { show, UnreelError } from "../errors.js";
import type { LossSpec, Questions, TargetKind } from "../graph/training.js";
import type { Graph } from "../layers/graph.js";
import { readOptions } from "../layers/options.js";
import type { SymbolicTensor } from "../layers/symbolic.js";
import type { CompileOptions, MetricLists } from "../training/compileOptions.js";
import type { Counted, Trainee } from "../training/fit.js";
import { functionGraph, type TensorFunction } from "../training/functions.js";
import { Loss, type LossLike } from "../training/losses.js";
import { Metric } from "../training/metrics/metric.js";
import { resolveMetric } from "../training/metrics/resolveMetric.js";
import type { OptimizerLike } from "../training/optimizers.js";
import { requireMade, resolveLoss } from "../training/resolveLoss.js";
import { resolveOptimizer } from "../training/resolveOptimizer.js";
import type { Compiled } from "../training/step.js";

/** Options with their defaults; names that can be checked before the outputs are known are. */
export function readCompileOptions(options: CompileOptions): CompileOptions {
  const defaults = {
    optimizer: "rmsprop" as OptimizerLike,
    loss: undefined as unknown as CompileOptions["loss"],
    metrics: undefined as CompileOptions["metrics"],
    weightedMetrics: undefined as CompileOptions["weightedMetrics"],
    lossWeights: undefined as CompileOptions["lossWeights"],
  };
  const call = "compile({ optimizer: 'adam', loss: 'meanSquaredError' })";
  const read = readOptions("compile", options, defaults, call);
  if (read.loss === undefined || read.loss === null) {
    throw new UnreelError({
      operation: "compile: loss",
      expected: "a loss",
      got: "none",
      hint: "compile({ loss: 'meanSquaredError', … })",
    });
  }
  checkNames(read);
  return { ...read, optimizer: resolveOptimizer("compile: optimizer", read.optimizer) };
}

/** What training needs, for the outputs of a graph. */
export function resolveCompiled(graph: Graph, options: CompileOptions): Omit<Trainee, "executor"> {
  const { optimizer, loss, metrics, weightedMetrics, lossWeights } = options;
  const outputNames = distinct(graph.outputs.map((output) => output.name));
  const losses = forOutputs<LossLike | null>("compile: loss", loss, outputNames).map((each, output) =>
    each === null ? undefined : lossSpec(each, graph.outputs[output]),
  );
  losses.forEach((each, output) => {
    if (each) warnOfOneClass(each, graph.outputs[output]);
  });
  if (!losses.some((each) => each !== undefined)) {
    throw new UnreelError({ operation: "compile: loss", expected: "a loss for some output", got: "null" });
  }
  const resolved = resolveOptimizer("compile: optimizer", optimizer);
  const lists = [
    metricsForOutputs("compile: metrics", metrics, outputNames),
    metricsForOutputs("compile: weightedMetrics", weightedMetrics, outputNames),
  ];
  const asked = outputNames.map((_, output) =>
    questions(
      lists.map((list) => list[output]),
      graph.outputs[output],
      losses[output],
    ),
  );
  const names = metricNames(
    lists.map((list) => list.map((ofOutput) => ofOutput.map(({ name }) => name))),
    outputNames,
  );
  const compiled: Compiled = {
    optimizer: resolved,
    update: resolved,
    losses,
    lossWeights: weightsForOutputs(lossWeights, outputNames),
    questions: asked,
  };
  const counted = outputNames.map((_, output) => {
    let functions = 0;
    return lists.flatMap((list, kind) =>
      list[output].map(
        (metric, place): Counted => ({
          metric,
          name: names[kind][output][place],
          isWeighted: kind === 1,
          function: metric.function && functions++,
        }),
      ),
    );
  });
  return { compiled, metrics: counted, outputNames };
}

/** A loss as a program wants it: a function is asked here. */
function lossSpec(given: LossLike, output: SymbolicTensor): LossSpec {
  requireMade("compile: loss", given);
  if (typeof given === "function") {
    const graph = functionGraph("compile: loss", given, output.shape, output.shape);
    return { graph, sparse: false, reduction: "sumOverBatchSize" };
  }
  const loss = resolveLoss("compile: loss", given);
  if (loss.reduction === "none") {
    const hint = "'none' is for losses on plain values: losses.x({ reduction: 'none' }).call(yTrue, yPred).";
    const expected = "a reduction to one number";
    throw new UnreelError({ operation: "compile: loss", expected, got: "reduction 'none'", hint });
  }
  return loss;
}

/** Among one class there is nothing to choose: the loss stays what it is, whatever is learned. Keras warns of both, too. */
function warnOfOneClass(loss: LossSpec, output: SymbolicTensor): void {
  if (output.shape.at(-1) !== 1) return;
  const { activation } = output.source.layer.config as { activation?: unknown };
  const isSoftmax = activation === "softmax";
  if (!isSoftmax && !(loss instanceof Loss && loss.className === "CategoricalCrossentropy")) return;
  const what = isSoftmax ? "softmax over one unit is always 1" : "categoricalCrossentropy has one class";
  console.warn(
    `compile: ${what} in '${output.name}'. For two classes use one unit with 'sigmoid' and 'binaryCrossentropy'.`,
  );
}

/** What the metrics of an output want to know of it. */
function questions(
  lists: readonly (readonly Metric[])[],
  output: SymbolicTensor,
  loss: LossSpec | undefined,
): Questions {
  const metrics = lists.flat();
  const isSparse = loss ? loss.sparse : metrics.some((metric) => metric.sparse);
  const target: TargetKind | undefined = isSparse ? "classes" : metrics.length > 0 ? "values" : undefined;
  const yTrue = isSparse ? output.shape.slice(0, -1) : output.shape;
  const functions = metrics.flatMap((metric): TensorFunction[] => (metric.function ? [metric.function] : []));
  return {
    functions: functions.map((each) =>
      functionGraph(`compile: metric '${each.name}'`, each, yTrue, output.shape),
    ),
    target,
  };
}

/** Names in logs, one for each metric: [metrics, weightedMetrics][output][place] (keras CompileMetrics.result). */
function metricNames(
  given: readonly (readonly (readonly string[])[])[],
  outputNames: readonly string[],
): string[][][] {
  const used = new Map<string, number>();
  const take = (name: string): string => {
    const before = used.get(name) ?? 0;
    used.set(name, before + 1);
    return before === 0 ? name : `${name}_${before}`;
  };
  return given.map((list, kind) =>
    list.map((names, output) =>
      names.map((name) => {
        const prefix = outputNames.length > 1 ? `${outputNames[output]}_` : "";
        const isTaken = kind === 1 && used.has(`${prefix}${name}`);
        return take(`${prefix}${isTaken ? "weighted_" : ""}${name}`);
      }),
    ),
  );
}

/** A weight for each output; where a record says nothing, 1. */
function weightsForOutputs(given: CompileOptions["lossWeights"], names: readonly string[]): number[] {
  const operation = "compile: lossWeights";
  const isRecord = given !== null && typeof given === "object" && !Array.isArray(given);
  if (isRecord) refuseStrangers(operation, given, names);
  const weights =
    given === undefined
      ? names.map(() => 1)
      : isRecord
        ? names.map((name) => (given as Record<string, number>)[name] ?? 1)
        : forOutputs<number>(operation, given as readonly number[], names);
  const wrong = weights.find((weight) => !Number.isFinite(weight));
  if (wrong === undefined && weights.every((weight) => typeof weight === "number")) return weights;
  throw new UnreelError({ operation, expected: "finite numbers", got: show(wrong) });
}

function refuseStrangers(operation: string, record: object, names: readonly string[]): void {
  const stranger = Object.keys(record).find((name) => !names.includes(name));
  if (stranger === undefined) return;
  throw new UnreelError({ operation, expected: `entries for ${names.join(", ")}`, got: `'${stranger}'` });
}

/** Names made different where one layer has several outputs: `lstm`, `lstm_1`. */
function distinct(names: readonly string[]): string[] {
  return names.map((name, index) => {
    const before = names.slice(0, index).filter((other) => other === name).length;
    return before === 0 ? name : `${name}_${before}`;
  });
}

/** One value for each output: the same for all, a list, or a record by name. */
function forOutputs<V>(
  operation: string,
  given: V | readonly V[] | Readonly<Record<string, V>>,
  names: readonly string[],
): V[] {
  if (Array.isArray(given)) {
    if (given.length === names.length) return [...given];
    throw new UnreelError({
      operation,
      expected: `${names.length} (for ${names.join(", ")})`,
      got: `${given.length}`,
    });
  }
  if (given !== null && typeof given === "object" && Object.getPrototypeOf(given) === Object.prototype) {
    const record = given as Record<string, V>;
    refuseStrangers(operation, record, names);
    const missing = names.find((name) => !(name in record));
    if (missing === undefined) return names.map((name) => record[name]);
    const expected = `entries for ${names.join(", ")}`;
    const hint = operation === "compile: loss" ? "Write null for an output that is not trained." : undefined;
    throw new UnreelError({ operation, expected, got: `no '${missing}'`, hint });
  }
  return names.map(() => given as V);
}

function metricsForOutputs(
  operation: string,
  given: MetricLists | undefined,
  names: readonly string[],
): Metric[][] {
  return listsForOutputs(operation, given, names).map((list) =>
    [list ?? []].flat().map((each) => resolveMetric(operation, each)),
  );
}

function listsForOutputs(
  operation: string,
  given: MetricLists | undefined,
  names: readonly string[],
): unknown[] {
  if (given === undefined) return names.map(() => []);
  const isObject = given !== null && typeof given === "object";
  if (!isObject || given instanceof Metric || given instanceof Loss) {
    const hint = `Write ${operation.split(" ")[1]}: ['accuracy'].`;
    throw new UnreelError({ operation, expected: "a list", got: show(given), hint });
  }
  if (!Array.isArray(given)) {
    refuseStrangers(operation, given, names);
    return names.map((name) => (given as Record<string, unknown>)[name]);
  }
  if (names.length === 1) return [given.flat()];
  return forOutputs<unknown>(operation, given, names);
}

/** Names that can be checked before the outputs are known. */
function checkNames({ loss, metrics, weightedMetrics }: CompileOptions): void {
  if (typeof loss === "string") resolveLoss("compile: loss", loss);
  for (const [option, list] of Object.entries({ metrics, weightedMetrics })) {
    if (typeof list === "string") listsForOutputs(`compile: ${option}`, list, []);
    if (!Array.isArray(list)) continue;
    for (const metric of list.flat()) if (metric !== null) resolveMetric(`compile: ${option}`, metric);
  }
}
