// Drawing ids by their probabilities. Temperature, then topK, then topP, as in Hugging Face's transformers.
// topP: Holtzman et al., "The Curious Case of Neural Text Degeneration" (2020).
import { inRange, positiveInteger, show, UnreelError } from "../errors.js";
import { later } from "../later.js";
import { readOptions } from "../layers/options.js";
import { exponential } from "../numerics.js";
import { Random, seedOr } from "../random.js";
import { Tensor, type TensorLike } from "../tensor.js";
import { likeliest, logProbabilities } from "./distribution.js";
import type { Decoded, GenerateOptions } from "./step.js";

export interface SampleOptions {
  /** Logarithms of probabilities are divided by it: below 1 the likely ids get likelier. 0 takes the likeliest. Default 1. */
  temperature?: number;
  /** Only this many of the likeliest ids may come; of equal ones the lower. Default: all. */
  topK?: number | null;
  /** Only the fewest likeliest ids that together have at least this probability may come. In (0, 1]; default: all. */
  topP?: number | null;
  /** Same seed, same draws, on every engine. By default drawn from the generator of `setRandomSeed`. */
  seed?: number | null;
}

interface RowOptions extends SampleOptions {
  /** The numbers are logits, not probabilities. Default false. */
  fromLogits?: boolean;
}

/** Draws an id each time it is called, one after the other from one generator. */
export type Sampler = (values: TensorLike) => number;

const sampleDefaults: SampleOptions = { temperature: 1, topK: null, topP: null, seed: null };

/**
 * Draws ids at random, in three forms:
 *
 * - `sample(values, { temperature, topK, topP, seed, fromLogits })` draws one id from probabilities, or logits, of shape [ids]. The
 *   same seed draws the same id: for a loop of one's own, take the next form.
 * - `sample({ temperature, topK, topP, seed, fromLogits })` gives a function that draws an id from such values each time it is called.
 * - `sample({ step, start, end, maxLength, initialState, temperature, topK, topP, seed })` draws a whole sequence, as `decode.greedy`
 *   does. Its log probability is the step's, before temperature, topK and topP.
 */
export function sample(values: TensorLike, options?: RowOptions): number;
export function sample<S = undefined>(options: GenerateOptions<S> & SampleOptions): Promise<Decoded>;
export function sample(options?: RowOptions & { step?: never }): Sampler;
export function sample<S>(
  first: TensorLike | RowOptions | (GenerateOptions<S> & SampleOptions) = {},
  options?: RowOptions,
): number | Promise<Decoded> | Sampler {
  if (isValues(first)) return sampler(options)(first);
  if (options !== undefined) {
    const expected = "probabilities or logits, then options";
    throw new UnreelError({ operation: "decode.sample", expected, got: show(first) });
  }
  return "step" in first ? sequence(first) : sampler(first as RowOptions);
}

/** Everything but an object of options. */
function isValues(given: unknown): given is TensorLike {
  if (typeof given !== "object" || given === null) return true;
  return given instanceof Tensor || ArrayBuffer.isView(given) || Array.isArray(given);
}

function sampler(options: RowOptions | undefined): Sampler {
  const { fromLogits, ...read } = readOptions("decode.sample", options, {
    ...sampleDefaults,
    fromLogits: false,
  });
  const draw = drawing(read);
  return (values) => draw(logProbabilities("decode.sample", values, fromLogits ? "logits" : "probabilities"));
}

async function sequence<S>(options: GenerateOptions<S> & SampleOptions): Promise<Decoded> {
  const { follow, generateDefaults } = await later(import("./step.js"));
  const read = readOptions("decode.sample", options, { ...generateDefaults, ...sampleDefaults });
  return follow("decode.sample", read as unknown as GenerateOptions<S>, drawing(read));
}

/** Draws from logarithms of probabilities. */
function drawing(options: SampleOptions): (logs: Float64Array) => number {
  const { topK, topP, seed } = options;
  const temperature = inRange("decode.sample: temperature", options.temperature, 0, Number.POSITIVE_INFINITY);
  if (typeof topK === "number" || topK) positiveInteger("decode.sample: topK", topK);
  if (typeof topP === "number" || topP) inRange("decode.sample: topP", topP, Number.MIN_VALUE, 1, true);
  const random = new Random(seedOr(seed, "decode.sample: seed"));
  return (logs) => {
    if (temperature === 0) return likeliest(logs, 1)[0];
    const max = logs.reduce((a, b) => Math.max(a, b));
    let weights: Float64Array = logs.map((log) => exponential((log - max) / temperature));
    if (topK || topP) weights = largest(weights, topK ?? weights.length, topP ?? 1);
    return draw(weights, random);
  };
}

/** The weights of the `count` likeliest ids, of these only as many as have the share `mass` together; zero for all others. */
function largest(weights: Float64Array, count: number, mass: number): Float64Array {
  const order = likeliest(weights, count);
  const total = order.reduce((sum, id) => sum + weights[id], 0);
  const kept = new Float64Array(weights.length);
  let sum = 0;
  for (const id of order) {
    if (sum >= mass * total) break;
    sum += weights[id];
    kept[id] = weights[id];
  }
  return kept;
}

function draw(weights: Float64Array, random: Random): number {
  const target = random.uniform() * weights.reduce((a, b) => a + b, 0);
  let sum = 0;
  // The sum may end below the target by rounding: then the last that is possible.
  let last = 0;
  for (let id = 0; id < weights.length; id++) {
    if (weights[id] === 0) continue;
    sum += weights[id];
    last = id;
    if (sum > target) break;
  }
  return last;
}
