// What compile is given, for one output or several: losses, metrics and weights by name, list or record, made into objects.
import { show, UnreelError } from "../errors.js";
import type { Graph } from "../layers/graph.js";
import { readOptions } from "../layers/options.js";
import type { Trainee } from "../training/fit.js";
import { type LossLike, resolveLoss } from "../training/losses.js";
import { Metric, resolveMetric } from "../training/metrics.js";
import { type OptimizerLike, resolveOptimizer } from "../training/optimizers.js";
import type { Compiled } from "../training/step.js";

type MetricLike = Metric | string;

export interface CompileOptions {
  /** Default 'rmsprop', as in Keras. */
  optimizer?: OptimizerLike;
  /** One for all outputs, a list in their order, or a record by output name. */
  loss: LossLike | readonly LossLike[] | Readonly<Record<string, LossLike>>;
  /** Names or objects; for several outputs a list of lists or a record by output name. */
  metrics?:
    | readonly (MetricLike | readonly MetricLike[])[]
    | Readonly<Record<string, MetricLike | readonly MetricLike[]>>;
  lossWeights?: readonly number[] | Readonly<Record<string, number>>;
}

/** Options with their defaults; names that can be checked before the outputs are known are. */
export function readCompileOptions(options: CompileOptions): CompileOptions {
  const read = readOptions("compile", options, {
    optimizer: "rmsprop" as OptimizerLike,
    loss: undefined as unknown as CompileOptions["loss"],
    metrics: undefined as CompileOptions["metrics"],
    lossWeights: undefined as CompileOptions["lossWeights"],
  });
  if (read.loss === undefined) {
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
  const { optimizer, loss, metrics, lossWeights } = options;
  const outputNames = distinct(graph.outputs.map((output) => output.name));
  const losses = forOutputs("compile: loss", loss, outputNames).map((each) =>
    resolveLoss("compile: loss", each),
  );
  const weights =
    lossWeights === undefined
      ? outputNames.map(() => 1)
      : forOutputs("compile: lossWeights", lossWeights, outputNames);
  const resolved = resolveOptimizer("compile: optimizer", optimizer);
  const made: Compiled = { optimizer: resolved, update: resolved, losses, lossWeights: weights };
  const resolvedMetrics = metricsForOutputs(metrics, outputNames).map((list) =>
    list.map((each) => resolveMetric("compile: metrics", each)),
  );
  return { compiled: made, metrics: resolvedMetrics, outputNames };
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
  if (
    given !== null &&
    typeof given === "object" &&
    Object.getPrototypeOf(given) === Object.prototype &&
    !("kernel" in given)
  ) {
    const record = given as Record<string, V>;
    const missing = names.find((name) => !(name in record));
    if (missing === undefined) return names.map((name) => record[name]);
    throw new UnreelError({ operation, expected: `entries for ${names.join(", ")}`, got: `no '${missing}'` });
  }
  return names.map(() => given as V);
}

function metricsForOutputs(metrics: CompileOptions["metrics"], names: readonly string[]): MetricLike[][] {
  if (metrics === undefined) return names.map(() => []);
  if (metrics === null || typeof metrics !== "object" || metrics instanceof Metric) {
    const hint = "Write metrics: ['accuracy'].";
    throw new UnreelError({ operation: "compile: metrics", expected: "a list", got: show(metrics), hint });
  }
  if (!Array.isArray(metrics)) {
    const record = metrics as Record<string, MetricLike | readonly MetricLike[]>;
    const stranger = Object.keys(record).find((name) => !names.includes(name));
    if (stranger !== undefined) {
      throw new UnreelError({
        operation: "compile: metrics",
        expected: `entries for ${names.join(", ")}`,
        got: `'${stranger}'`,
      });
    }
    return names.map((name) => [record[name] ?? []].flat() as MetricLike[]);
  }
  if (names.length === 1) return [metrics.flat() as MetricLike[]];
  return (forOutputs("compile: metrics", metrics, names) as (MetricLike | MetricLike[])[]).map((each) =>
    [each].flat(),
  );
}

/** Names that can be checked before the outputs are known. */
function checkNames({ loss, metrics }: CompileOptions): void {
  if (typeof loss === "string") resolveLoss("compile: loss", loss);
  if (Array.isArray(metrics)) for (const metric of metrics.flat()) resolveMetric("compile: metrics", metric);
}
