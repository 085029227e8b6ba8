// Beam search: the best few sequences are kept at every step. Scores and what is kept follow Hugging Face's transformers.
// huggingface.co/docs/transformers/main_classes/text_generation
import { positiveInteger, show, UnreelError } from "../errors.js";
import { readOptions } from "../layers/options.js";
import { power } from "../numerics.js";
import { likeliest } from "./distribution.js";
import { type Decoded, type GenerateOptions, generateDefaults, type Path, search } from "./step.js";

export interface BeamSearchOptions<S> extends GenerateOptions<S> {
  /** How many sequences are kept at every step, and returned at most. */
  width: number;
  /** A score is logProbability / lengthᵖ, the length with the end: 0 compares probabilities, which favours short sequences; 1, the
   * default, compares means of log probabilities; more favours long sequences. */
  lengthPenalty?: number;
}

/** A path and the id that it goes on with. */
interface Candidate<S> {
  readonly path: Path<S>;
  readonly id: number;
  readonly logProbability: number;
}

export async function beamSearch<S>(options: BeamSearchOptions<S>): Promise<Decoded[]> {
  const operation = "decode.beamSearch";
  const defaults = { ...generateDefaults, width: undefined, lengthPenalty: 1 };
  const read = readOptions(operation, options, defaults as unknown as Required<BeamSearchOptions<S>>);
  const { width, lengthPenalty } = read;
  positiveInteger(`${operation}: width`, width);
  if (!Number.isFinite(lengthPenalty)) {
    const what = `${operation}: lengthPenalty`;
    throw new UnreelError({ operation: what, expected: "a finite number", got: show(lengthPenalty) });
  }
  const { maxLength, promptLength, ends, begin, extend } = search(operation, read);
  const scoreOf = (logProbability: number, length: number) => logProbability / power(length, lengthPenalty);

  const finished: Decoded[] = [];
  const finish = ({ path, id, logProbability }: Candidate<S>, length: number) => {
    const ended = ends.has(id);
    const ids = [...path.ids.slice(promptLength), ...(ended ? [] : [id])];
    finished.push({ ids, logProbability, score: scoreOf(logProbability, length), ended });
  };

  let live = [await begin()];
  for (let length = 1; live.length > 0; length++) {
    const chosen: Candidate<S>[] = [];
    for (const [rank, candidate] of candidates(live, width + ends.size).entries()) {
      if (chosen.length === width) break;
      if (!ends.has(candidate.id)) chosen.push(candidate);
      else if (rank < width) finish(candidate, length);
    }
    if (length === maxLength) for (const candidate of chosen) finish(candidate, length);
    finished.sort((a, b) => b.score - a.score);
    finished.length = Math.min(finished.length, width);
    if (length === maxLength || chosen.length === 0) break;

    // Going on only lowers a probability; what it is divided by is largest at one of the two ends.
    const best = chosen[0].logProbability;
    const bound = Math.max(scoreOf(best, length + 1), scoreOf(best, maxLength));
    if (finished.length === width && finished[width - 1].score >= bound) break;
    live = [];
    for (const { path, id } of chosen) live.push(await extend(path, id));
  }
  return finished;
}

/** All ways on that could be among the best, best first. */
function candidates<S>(live: readonly Path<S>[], each: number): Candidate<S>[] {
  const all = live.flatMap((path) =>
    likeliest(path.logs, each).map((id) => ({
      path,
      id,
      logProbability: path.logProbability + path.logs[id],
    })),
  );
  return all
    .filter(({ logProbability }) => logProbability > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.logProbability - a.logProbability);
}
