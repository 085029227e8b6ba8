// Greedy decoding: the likeliest id at every step. keras.io/keras_hub/api/samplers/greedy_sampler
import { readOptions } from "../layers/options.js";
import { likeliest } from "./distribution.js";
import type { Decoded, GenerateOptions } from "./step.js";

/**
 * The sequence of the likeliest ids; of equally likely ones the lowest. `score` is its log probability.
 *
 *     const { ids } = await decode.greedy({
 *       start: 1, end: 2, maxLength: 20,
 *       step: (ids) => ({ probabilities: stream.step([ids.at(-1)]) }),
 *     });
 */
export async function greedy<S = undefined>(options: GenerateOptions<S>): Promise<Decoded> {
  const { follow, generateDefaults } = await import("./step.js");
  const read = readOptions("decode.greedy", options, generateDefaults as unknown as GenerateOptions<S>);
  return follow("decode.greedy", read, (logs) => likeliest(logs, 1)[0]);
}
