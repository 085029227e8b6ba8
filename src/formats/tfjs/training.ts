// What a tfjs model is compiled with, both ways, and what its optimizer has come to: `trainingConfig` of model.json, and arrays of the
// group 'optimizer' behind the weights. Losses and metrics stand there by name alone; settings that have none are refused.
// tfjs-layers/src/engine/training.ts (getTrainingConfig, loadTrainingConfig), tfjs-core/src/optimizers/*.ts (getConfig, getWeights)
import { show, UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import { camelCase, snakeCase } from "../../layers/options.js";
import type { Weight } from "../../layers/weight.js";
import type { CompileOptions } from "../../training/compileOptions.js";
import { Loss } from "../../training/losses.js";
import { Metric } from "../../training/metrics/metric.js";
import { resolveMetric } from "../../training/metrics/resolveMetric.js";
import type { Optimizer } from "../../training/optimizers.js";
import { resolveLoss } from "../../training/resolveLoss.js";
import { resolveOptimizer } from "../../training/resolveOptimizer.js";
import type { TrainingState } from "../description.js";
import { readCompile } from "../keras/compile.js";
import { trainedWeights } from "../keras/optimizerState.js";
import { isObject, type Json, type JsonObject, ofTraining, requireObject, requireString } from "../place.js";

/** An array of the optimizer's, in the order of the file. */
export interface OptimizerArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

const HINT = "TensorFlow.js has no place for it: save with { includeOptimizer: false }, and compile there.";

function refuse(operation: string, expected: string, got: string): never {
  throw new UnreelError({ operation, expected, got, hint: HINT });
}

// ------------------------------------------------------------------------------------------------------------- optimizers

interface Rule {
  /** Its class there, and the options that it has, by their names there. */
  readonly className: string;
  readonly options: Readonly<Record<string, string>>;
  /** Our options that must have this value. */
  readonly only?: Readonly<Record<string, unknown>>;
  /** Endings of the names of the arrays for each weight, and our slots: zeros where we keep none. Absent: it cannot save them. */
  readonly slots?: Readonly<Record<string, string>>;
}

const RATE = { learningRate: "learningRate" };
const ADAM = { ...RATE, beta1: "beta1", beta2: "beta2", epsilon: "epsilon" };

/** By our class. Adadelta divides by the average of the step before there, by that of this one here. */
const RULES: Readonly<Record<string, Rule>> = {
  SGD: { className: "SGD", options: RATE, only: { nesterov: false }, slots: {} },
  Momentum: {
    className: "Momentum",
    options: { ...RATE, momentum: "momentum", useNesterov: "nesterov" },
    slots: { momentum: "momentum" },
  },
  Adam: {
    className: "Adam",
    options: ADAM,
    only: { amsgrad: false },
    slots: { m: "momentum", v: "velocity" },
  },
  Adamax: { className: "Adamax", options: ADAM },
  RMSprop: {
    className: "RMSProp",
    options: { ...RATE, decay: "rho", momentum: "momentum", epsilon: "epsilon", centered: "centered" },
    // It takes epsilon off there, and may come to NaN.
    only: { centered: false },
    slots: { rms: "velocity", momentum: "momentum" },
  },
  Adagrad: {
    className: "Adagrad",
    options: { ...RATE, initialAccumulatorValue: "initialAccumulatorValue" },
    // The number that its backend adds.
    only: { epsilon: 1e-7 },
    slots: { accumulator: "accumulator" },
  },
  Adadelta: {
    className: "Adadelta",
    options: { ...RATE, rho: "rho", epsilon: "epsilon" },
    slots: { accum_grad: "accumulated_grad", accum_var: "accumulated_delta_var" },
  },
};
const COMMON = { clipnorm: null, clipvalue: null, globalClipnorm: null, weightDecay: null };

function ruleOf({ className, config }: Optimizer): Rule | undefined {
  const { momentum } = config as { momentum?: number };
  return RULES[className === "SGD" && momentum! > 0 ? "Momentum" : className];
}

function writeOptimizer(optimizer: Optimizer, rate: number): JsonObject {
  const place = "compile: optimizer";
  const rule = ruleOf(optimizer);
  if (!rule) refuse(place, "one of TensorFlow.js", optimizer.className);
  if (optimizer.schedule) refuse(`${place}: learningRate`, "a number", `a ${optimizer.schedule.className}`);
  const config = optimizer.config as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries({ ...COMMON, ...rule.only })) {
    if ((config[name] ?? null) !== value) refuse(`${place}: ${name}`, show(value), show(config[name]));
  }
  const options = Object.entries(rule.options).map(([theirs, ours]) => [theirs, config[ours] as Json]);
  return {
    class_name: rule.className,
    config: { ...Object.fromEntries(options), learningRate: rate },
  };
}

/** In Keras' terms. */
function asKeras(place: string, value: Json | undefined): JsonObject {
  const { class_name: given, config } = requireObject(place, value);
  const className = requireString(`${place}: class_name`, given);
  const found = Object.entries(RULES).find(([, rule]) => rule.className === className);
  const options = requireObject(`${place}: config`, config);
  // Converters leave Keras' own.
  if (!found) return { class_name: className, config: options };
  const [ours, rule] = found;
  const named = Object.entries(options).map(([name, option]) => [
    snakeCase(rule.options[camelCase(name)] ?? name),
    option,
  ]);
  return { class_name: ours === "Momentum" ? "SGD" : ours, config: Object.fromEntries(named) };
}

// ------------------------------------------------------------------------------------------------------ losses and metrics

/** Names there of those whose names in Keras are others. */
const LOSSES: Readonly<Record<string, string>> = {
  log_cosh: "logcosh",
  cosine_similarity: "cosine_proximity",
};
const KNOWN_LOSSES =
  "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error squared_hinge hinge categorical_hinge log_cosh categorical_crossentropy sparse_categorical_crossentropy binary_crossentropy kullback_leibler_divergence poisson cosine_similarity".split(
    " ",
  );
const METRICS: Readonly<Record<string, string>> = {
  accuracy: "accuracy",
  binary_accuracy: "binary_accuracy",
  categorical_accuracy: "categorical_accuracy",
  categorical_crossentropy: "categorical_crossentropy",
  sparse_categorical_crossentropy: "sparse_categorical_crossentropy",
  mean_squared_error: "mse",
  mean_absolute_error: "mae",
  mean_absolute_percentage_error: "mape",
};

/** The same for each of a list or a record. */
function each(place: string, given: unknown, write: (place: string, one: unknown) => Json): Json {
  if (Array.isArray(given)) return given.map((one, k) => each(`${place}[${k}]`, one, write));
  const isRecord =
    typeof given === "object" && given !== null && Object.getPrototypeOf(given) === Object.prototype;
  if (!isRecord) return write(place, given);
  return Object.fromEntries(
    Object.entries(given).map(([name, one]) => [name, each(`${place}.${name}`, one, write)]),
  );
}

const own = (value: unknown) => (typeof value === "function" ? "a function of your own" : show(value));

function writeLoss(place: string, given: unknown): Json {
  if (typeof given !== "string" && !(given instanceof Loss)) refuse(place, "the name of a loss", own(given));
  const loss = resolveLoss(place, given);
  const usual = resolveLoss(place, loss.name);
  const name = snakeCase(loss.name);
  const told = ({ config, reduction }: Loss) => JSON.stringify([config, reduction]);
  if (told(loss) !== told(usual)) refuse(place, `${name} with its default options`, told(loss));
  if (!KNOWN_LOSSES.includes(name)) refuse(place, "a loss of TensorFlow.js", name);
  return LOSSES[name] ?? name;
}

function writeMetric(place: string, given: unknown): Json {
  if (typeof given !== "string" && !(given instanceof Metric))
    refuse(place, "the name of a metric", own(given));
  const { metric, config } = resolveMetric(place, given).made;
  const usual = metric === "own" ? undefined : resolveMetric(place, metric).made.config;
  const told = (options: object | undefined) => JSON.stringify({ ...options, name: undefined });
  const found = METRICS[snakeCase(metric)];
  if (found === undefined) refuse(place, "a metric of TensorFlow.js", metric);
  if (told(config) !== told(usual)) refuse(place, `${found} with its default options`, told(config));
  return found;
}

const renamed = (place: string, given: Json | undefined): Json =>
  each(place, given ?? null, (_, name) => {
    const ours = Object.entries(LOSSES).find(([, theirs]) => theirs === name);
    return (ours?.[0] ?? name) as Json;
  });

// ---------------------------------------------------------------------------------------------------------------- compile

export function writeTrainingConfig(
  compiled: CompileOptions,
  training: TrainingState | undefined,
): JsonObject {
  const { optimizer: given, loss, metrics, weightedMetrics, lossWeights } = compiled;
  if (weightedMetrics) refuse("compile: weightedMetrics", "none", "some");
  if (lossWeights) refuse("compile: lossWeights", "none", "some");
  const optimizer = resolveOptimizer("compile: optimizer", given);
  return {
    loss: each("compile: loss", loss, writeLoss),
    metrics: each("compile: metrics", metrics ?? [], writeMetric),
    optimizer_config: writeOptimizer(optimizer, training?.learningRate ?? optimizer.learningRate),
  };
}

/** `isOwn`: as tfjs writes it, and not as Keras does in a file that was converted. */
export function readTrainingConfig(
  place: string,
  value: Json | undefined,
  isOwn: boolean,
): CompileOptions | undefined {
  if (value === undefined || value === null) return undefined;
  return ofTraining(() => {
    const { optimizer_config: optimizer, loss, ...rest } = requireObject(place, value);
    const given = isOwn && optimizer ? asKeras(`${place}: optimizer_config`, optimizer) : (optimizer ?? null);
    const named = isOwn && !isObject(loss) ? renamed(`${place}: loss`, loss) : (loss ?? null);
    return readCompile(place, { ...rest, loss: named, optimizer: given });
  });
}

// ------------------------------------------------------------------------------------------------------ the optimizer's state

/** Momentum there is that of gradients, here that of steps: the rate with its sign lies between. */
function factorOf({ className }: Optimizer, rate: number): number {
  return className === "SGD" ? -rate : 1;
}

export function writeOptimizerState(
  graph: Graph,
  { optimizer: given }: CompileOptions,
  { iterations, slots, learningRate }: TrainingState,
  nameOf: (weight: Weight) => string,
): OptimizerArray[] {
  const optimizer = resolveOptimizer("optimizer", given);
  const rule = ruleOf(optimizer);
  if (!rule?.slots) return [];
  const weights = trainedWeights(graph);
  const factor = factorOf(optimizer, learningRate ?? optimizer.learningRate);
  return [
    { name: "iter", shape: [], data: Int32Array.of(iterations) },
    ...Object.entries(rule.slots).flatMap(([ending, slot]) =>
      weights.map((weight): OptimizerArray => {
        const kept = slots.get(weight)?.[optimizer.slots.indexOf(slot)];
        const data = kept?.map((value) => value / factor) ?? new Float32Array(weight.size);
        return { name: `${nameOf(weight)}/${ending}`, shape: weight.shape, data };
      }),
    ),
  ];
}

/** What the arrays of a file say of an optimizer, by its weights in the order of the file; undefined where it had made no step. */
export function readOptimizerState(
  place: string,
  graph: Graph,
  { optimizer: given }: CompileOptions,
  { weights, arrays }: { weights: readonly Weight[]; arrays: readonly OptimizerArray[] },
): TrainingState | undefined {
  const [iterations, ...rest] = arrays;
  if (!iterations || (rest.length === 0 && !(iterations.data[0] > 0))) return undefined;
  const optimizer = resolveOptimizer("optimizer", given);
  const rule = ruleOf(optimizer);
  const kinds = Object.entries(rule?.slots ?? {});
  const trained = new Set(trainedWeights(graph));
  const ordered = weights.filter((weight) => trained.has(weight));
  const expected = kinds.flatMap(([, slot]) => ordered.map((weight) => ({ weight, slot })));
  const shapes = (list: readonly { readonly shape: readonly number[] }[]) =>
    list.map(({ shape }) => `[${shape}]`).join(" ") || "none";
  const wanted = shapes(expected.map(({ weight }) => weight));
  const isWhole = optimizer.slots.every((slot) => kinds.some(([, kept]) => kept === slot));
  if (!isWhole || iterations.data.length !== 1 || shapes(rest) !== wanted) {
    throw new UnreelError({
      operation: `${place}: optimizer`,
      expected: `the number of steps, and arrays of ${optimizer.className} of shapes ${wanted}`,
      got: shapes(rest),
      hint: "loadModel(path, { compile: false }) loads the rest.",
    });
  }
  const factor = factorOf(optimizer, optimizer.learningRate);
  const slots = new Map<Weight, Float32Array[]>(ordered.map((weight) => [weight, []]));
  expected.forEach(({ weight, slot }, k) => {
    const at = optimizer.slots.indexOf(slot);
    if (at >= 0) slots.get(weight)![at] = Float32Array.from(rest[k].data, (value) => value * factor);
  });
  return { iterations: iterations.data[0], slots };
}
