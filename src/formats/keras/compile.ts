// What a model is compiled with, as Keras' compile_config, both ways: optimizers with their schedules, losses, metrics.
// keras/src/trainers/trainer.py (get_compile_config)
import { show, suggestion, UnreelError } from "../../errors.js";
import { camelCase, snakeCase } from "../../layers/options.js";
import type { CompileOptions } from "../../training/compileOptions.js";
import { Loss } from "../../training/losses.js";
import * as metricFunctions from "../../training/metrics/index.js";
import { Metric } from "../../training/metrics/index.js";
import { registry as metrics, resolveMetric } from "../../training/metrics/resolveMetric.js";
import type { Optimizer } from "../../training/optimizers.js";
import { registry as losses, resolveLoss } from "../../training/resolveLoss.js";
import { registry as optimizers, resolveOptimizer } from "../../training/resolveOptimizer.js";
import type { Schedule } from "../../training/schedules.js";
import * as schedules from "../../training/schedules.js";
import { at, isObject, type Json, type JsonObject, ofTraining, requireObject, shown } from "../place.js";
import { type Configured, camelOptions, kerasObject, readObject, snakeOptions } from "./objects.js";

// ------------------------------------------------------------------------------------------------------------- optimizers

/** Entries of an optimizer's config that change nothing here unless they have other values than these. */
const OPTIMIZER_ONLY: Readonly<Record<string, readonly Json[]>> = {
  useEma: [false],
  lossScaleFactor: [null],
  gradientAccumulationSteps: [null],
  decay: [0, null],
};
const OPTIMIZER_SILENT = [
  "name",
  "emaMomentum",
  "emaOverwriteFrequency",
  "jitCompile",
  "isLegacyOptimizer",
  "fused",
];

/** Keras' class of each optimizer, by its name here in lower case. */
export function writeOptimizer(optimizer: Optimizer): JsonObject {
  const { className, config } = optimizer;
  const { learningRate: _, ...rest } = config;
  if (!Object.hasOwn(optimizers, className.toLowerCase())) {
    throw new UnreelError({
      operation: "optimizer",
      expected: "an optimizer of Keras",
      got: show(className),
    });
  }
  const rate = optimizer.schedule ? writeSchedule(optimizer.schedule) : optimizer.learningRate;
  return kerasObject("keras.optimizers", className, {
    name: className.toLowerCase(),
    learning_rate: rate,
    ...snakeOptions({ ...rest }),
  });
}

function writeSchedule({ className, config }: Schedule): JsonObject {
  if (typeof className !== "string" || !Object.hasOwn(schedules, camelCase(className))) {
    throw new UnreelError({
      operation: "optimizer: learningRate",
      expected: "a number or a schedule of Keras",
      got: "a schedule of your own",
      hint: "A file holds no code: save with { includeOptimizer: false }, and compile after loading.",
    });
  }
  return kerasObject("keras.optimizers.schedules", className, snakeOptions(config));
}

/** What a record has by itself: a file may name `__proto__`. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

export function readOptimizer(place: string, value: Json): Optimizer {
  if (typeof value === "string") return resolveOptimizer(place, value);
  const { className: named, config } = readObject(place, value);
  // As Keras 2 has registered its own.
  const className = named.replace(/^Custom>/, "");
  const make = own(optimizers, className.toLowerCase()) as ((options?: object) => Optimizer) | undefined;
  if (!make) {
    const hint = suggestion(className, Object.keys(optimizers));
    throw new UnreelError({
      operation: place,
      expected: "an optimizer that is known here",
      got: show(className),
      hint,
    });
  }
  const options = camelOptions(config);
  if ("lr" in options) {
    options.learningRate ??= options.lr;
    delete options.lr;
  }
  refuse(place, options, OPTIMIZER_ONLY, OPTIMIZER_SILENT);
  const rate = options.learningRate as Json;
  if (isObject(rate)) options.learningRate = readSchedule(`${place}: learning_rate`, rate);
  if (options.weightDecay === false) options.weightDecay = null;
  return at(`${place} (${className})`, () => make(options));
}

function readSchedule(place: string, value: Json): Schedule {
  const { className, config } = readObject(place, value);
  const known = schedules as Readonly<Record<string, (options: never) => Schedule>>;
  const make = own(known, camelCase(className));
  if (!make) {
    const hint = suggestion(className, Object.keys(schedules));
    throw new UnreelError({
      operation: place,
      expected: "a schedule that is known here",
      got: show(className),
      hint,
    });
  }
  const { name: _, ...options } = camelOptions(config);
  return at(place, () => make(options as never));
}

/** Takes entries out of options that say nothing here; `only` with these values, or they are refused. */
function refuse(
  place: string,
  options: Record<string, unknown>,
  only: Readonly<Record<string, readonly Json[]>>,
  silent: readonly string[],
): void {
  for (const name of silent) delete options[name];
  for (const [name, values] of Object.entries(only)) {
    if (!(name in options)) continue;
    const given = options[name];
    delete options[name];
    if (values.some((each) => each === given)) continue;
    const expected = values.map((each) => JSON.stringify(each)).join(" or ");
    throw new UnreelError({ operation: `${place}: ${snakeCase(name)}`, expected, got: shown(given) });
  }
}

// ------------------------------------------------------------------------------------------------------ losses and metrics

/** Keras' classes whose names are not ours with a capital. */
const CLASSES: Readonly<Record<string, string>> = {
  kullbackLeiblerDivergence: "KLDivergence",
  klDivergence: "KLDivergence",
  auc: "AUC",
};
/** Names that Keras knows otherwise where a loss is given by name. */
const NAMES: Readonly<Record<string, string>> = { kullbackLeiblerDivergence: "kl_divergence" };

const capital = (name: string) => CLASSES[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

function ownCode(operation: string, what: string): UnreelError {
  return new UnreelError({
    operation,
    expected: `${what} of Keras`,
    got: "a function of your own",
    hint: "A file holds no code: save with { includeOptimizer: false }, and compile after loading.",
  });
}

function writeName(name: string): string {
  return NAMES[name] ?? snakeCase(name);
}

function writeLoss(place: string, given: unknown): Json {
  if (given === null || given === undefined) return null;
  if (typeof given === "string") return writeName(given);
  if (given instanceof Loss) {
    const { name, config, reduction } = given;
    return kerasObject("keras.losses", capital(name), {
      name: writeName(name),
      ...snakeOptions({ ...config, reduction }),
    });
  }
  return writeEach(place, given, writeLoss, "a loss");
}

function writeMetric(place: string, given: unknown): Json {
  if (given === null || given === undefined) return null;
  if (typeof given === "string") return writeName(given);
  if (given instanceof Metric) {
    const { metric, config } = given.made;
    if (metric === "own") throw ownCode(place, "a metric");
    const { name, curve, ...rest }: Record<string, unknown> = config;
    if (metric === "f1Score") delete rest.beta;
    return kerasObject("keras.metrics", capital(metric), {
      name: name as string,
      dtype: "float32",
      ...snakeOptions(rest),
      ...(curve !== undefined && { curve: curve as string }),
    });
  }
  if (given instanceof Loss) throw ownCode(place, "a metric");
  return writeEach(place, given, writeMetric, "a metric");
}

function writeEach(
  place: string,
  given: unknown,
  write: (place: string, each: unknown) => Json,
  what: string,
): Json {
  if (Array.isArray(given)) return given.map((each, k) => write(`${place}[${k}]`, each));
  if (typeof given === "object") {
    return Object.fromEntries(
      Object.entries(given as object).map(([name, each]) => [name, write(`${place}.${name}`, each)]),
    );
  }
  throw ownCode(place, what);
}

const byLowerCase = <V>(family: Readonly<Record<string, V>>): Map<string, V> =>
  new Map(Object.entries(family).map(([name, value]) => [name.toLowerCase(), value]));

const MAKER_ALIASES: Readonly<Record<string, string>> = {
  loss_kldivergence: "kullbackleiblerdivergence",
};

/** A name that is known here: what it is may depend on the output. */
function readName(kind: "loss" | "metric", place: string, name: string): string {
  if (kind === "loss") resolveLoss(place, name);
  else resolveMetric(place, name);
  return name;
}

function readEither(kind: "loss" | "metric", place: string, value: Json, depth = 0): unknown {
  if (typeof value === "string") return readName(kind, place, value);
  if (value === null) return value;
  if (depth > 4)
    throw new UnreelError({ operation: place, expected: "a list of lists at most", got: "more" });
  if (Array.isArray(value))
    return value.map((each, k) => readEither(kind, `${place}[${k}]`, each, depth + 1));
  const object = requireObject(place, value);
  if (!("class_name" in object)) {
    const read = Object.entries(object).map(([name, each]) => [
      name,
      readEither(kind, `${place}.${name}`, each, depth + 1),
    ]);
    return Object.fromEntries(read);
  }
  if (object.class_name === "function" && typeof object.config === "string" && isKeras(object.module)) {
    return readName(kind, place, object.config);
  }
  const { className, config } = readObject(place, object);
  // Keras 2 wraps the function that it means.
  if (/^(MeanMetricWrapper|LossFunctionWrapper)$/.test(className) && typeof config.fn === "string")
    return readName(kind, place, config.fn);
  const makers = byLowerCase<unknown>(kind === "loss" ? losses : { ...metricFunctions });
  const key = className.toLowerCase();
  const make = makers.get(MAKER_ALIASES[`${kind}_${key}`] ?? key);
  if (typeof make !== "function" || key === "metric") {
    const known = Object.keys(kind === "loss" ? losses : metrics).map(capital);
    const hint = suggestion(className, known);
    throw new UnreelError({
      operation: place,
      expected: `a ${kind} that is known here`,
      got: show(className),
      hint,
    });
  }
  const options = camelOptions(config);
  const isOverlap = key === "dice" || key === "tversky";
  const silent = kind === "loss" ? ["name", "dtype", "fn"] : ["dtype", "fn"];
  refuse(place, options, isOverlap ? {} : { axis: [-1], ignoreClass: [null] }, silent);
  if (typeof options.reduction === "string")
    options.reduction = options.reduction === "auto" ? "sumOverBatchSize" : camelCase(options.reduction);
  for (const choice of ["summationMethod", "classAggregation"]) {
    if (typeof options[choice] === "string") options[choice] = camelCase(options[choice]);
  }
  return at(place, () => (make as (options: object) => Configured)(options));
}

const isKeras = (module: Json | undefined) =>
  typeof module !== "string" || /^(keras|builtins)(\.|$)/.test(module);

// ---------------------------------------------------------------------------------------------------------------- compile

export function writeCompile({
  optimizer,
  loss,
  metrics,
  weightedMetrics,
  lossWeights,
}: CompileOptions): JsonObject {
  return {
    optimizer: writeOptimizer(resolveOptimizer("compile: optimizer", optimizer)),
    loss: writeLoss("compile: loss", loss),
    loss_weights: (lossWeights as Json | undefined) ?? null,
    metrics: writeMetric("compile: metrics", metrics),
    weighted_metrics: writeMetric("compile: weightedMetrics", weightedMetrics),
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: false,
  };
}

/** Losses and metrics by name as objects: Keras does not find all of its names in a file of the old form. 'accuracy' stays a name, for
 * what it is depends on the output. */
export function spelledOut({ loss, metrics, weightedMetrics, ...rest }: CompileOptions): CompileOptions {
  const each = (given: unknown, made: (name: string) => unknown): unknown => {
    if (typeof given === "string") return /^acc(uracy)?$/.test(given) ? given : made(given);
    if (Array.isArray(given)) return given.map((one) => each(one, made));
    const isRecord =
      typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype;
    if (!isRecord) return given;
    return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, each(one, made)]));
  };
  const metric = (name: string) => resolveMetric("metrics", name);
  return {
    ...rest,
    loss: each(loss, (name) => resolveLoss("loss", name)),
    metrics: each(metrics, metric),
    weightedMetrics: each(weightedMetrics, metric),
  } as CompileOptions;
}

/** undefined for a model that was not compiled. */
export function readCompile(place: string, value: Json | undefined): CompileOptions | undefined {
  if (value === undefined || value === null) return undefined;
  const config = requireObject(place, value);
  // Keras 2 had it in an entry of its own.
  const { optimizer, loss, loss_weights: lossWeights, metrics, weighted_metrics: weightedMetrics } = config;
  if (optimizer === undefined || optimizer === null || loss === undefined || loss === null) return undefined;
  const options = ofTraining(() => ({
    optimizer: readOptimizer(`${place}: optimizer`, optimizer),
    loss: readEither("loss", `${place}: loss`, loss),
    metrics: (metrics && readEither("metric", `${place}: metrics`, metrics)) || undefined,
    weightedMetrics:
      (weightedMetrics && readEither("metric", `${place}: weighted_metrics`, weightedMetrics)) || undefined,
    lossWeights: lossWeights || undefined,
  }));
  return options as CompileOptions;
}
