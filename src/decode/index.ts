// `decode.*`: from probabilities to ids, and from a function that predicts the next id to whole sequences. What searches is loaded by
// the call.
import { later } from "../later.js";
import type { BeamSearchOptions } from "./beamSearch.js";
import type { Decoded, GenerateOptions } from "./step.js";

export { type SampleOptions, type Sampler, sample } from "./sample.js";
export type { Next, Step } from "./step.js";
export type { BeamSearchOptions, Decoded, GenerateOptions };

/**
 * The sequence of the likeliest ids; of equally likely ones the lowest. `score` is its log probability.
 *
 *     const { ids } = await decode.greedy({
 *       start: 1, end: 2, maxLength: 20,
 *       step: (ids) => ({ probabilities: stream.step([ids.at(-1)]) }),
 *     });
 */
export async function greedy<S = undefined>(options: GenerateOptions<S>): Promise<Decoded> {
  return (await later(import("./greedy.js"))).greedy(options);
}

/**
 * The best sequences that a search of the given width finds, best first, at most `width`. Width 1 without a length penalty (0) is
 * greedy; a width of as many sequences as there are is exhaustive. Sequences that end are set aside and their places taken by others; the search goes on until none
 * of the unfinished ones can be better than what was set aside. Ties: the sequence whose beginning was better, then the lower id.
 */
export async function beamSearch<S = undefined>(options: BeamSearchOptions<S>): Promise<Decoded[]> {
  return (await later(import("./beamSearch.js"))).beamSearch(options);
}
