// Greedy decoding: the likeliest id at every step. keras.io/keras_hub/api/samplers/greedy_sampler
import { readOptions } from "../layers/options.js";
import { likeliest } from "./distribution.js";
import { type Decoded, follow, type GenerateOptions, generateDefaults } from "./step.js";

export async function greedy<S>(options: GenerateOptions<S>): Promise<Decoded> {
  const read = readOptions("decode.greedy", options, generateDefaults as unknown as GenerateOptions<S>);
  return follow("decode.greedy", read, (logs) => likeliest(logs, 1)[0]);
}
