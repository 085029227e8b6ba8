// What predicts the next id, and what comes of a search. Not here: which id is taken (greedy.ts, sample.ts, beamSearch.ts).
import { positiveInteger, show, UnreelError } from "../errors.js";
import type { TensorLike } from "../tensor.js";
import { logProbabilities } from "./distribution.js";

/** What a step predicts: one number for each id, and the state that the following step is given (when absent, the same again).
 * Probabilities need not add up to 1; an id with probability 0, or with a logit of -Infinity, never comes. */
export type Next<S> = { readonly state?: S } & (
  | { readonly probabilities: TensorLike; readonly logits?: undefined }
  | { readonly logits: TensorLike; readonly probabilities?: undefined }
);

/**
 * Predicts the id that follows `ids`. A recurrent model looks at the last of them and at its state; a model without a state looks at
 * all. Every id passes once, those of `start` too: for start [4, 7] the step sees [4] and then [4, 7]. It must not change `ids` or
 * `state`: several sequences may go on from one state.
 */
export type Step<S> = (ids: readonly number[], state: S) => Next<S> | Promise<Next<S>>;

export interface GenerateOptions<S> {
  step: Step<S>;
  /** The first id, or a list of them (a prompt). */
  start: number | readonly number[];
  /** The id, or any of several, that ends a sequence. Without one, all have `maxLength` ids. */
  end?: number | readonly number[] | null;
  /** How many ids are chosen at most, the end included. */
  maxLength: number;
  /** The state of the first step. */
  initialState?: S;
}

/** The options that every search over a step has. */
export const generateDefaults = {
  step: undefined,
  start: undefined,
  end: null,
  maxLength: undefined,
  initialState: undefined,
};

export interface Decoded {
  /** What was chosen: without start and without end. */
  readonly ids: number[];
  /** Natural logarithm of the sequence's probability as the step tells it, the end included. */
  readonly logProbability: number;
  /** By what sequences are compared: the larger the better. */
  readonly score: number;
  /** False where `maxLength` cut it off. */
  readonly ended: boolean;
}

/** A sequence that goes on. */
export interface Path<S> {
  /** With start. */
  readonly ids: readonly number[];
  readonly logProbability: number;
  readonly state: S;
  /** Of what may come next. */
  readonly logs: Float64Array;
}

/** Options that were checked, and the two things that every search does with them. */
export interface Search<S> {
  readonly maxLength: number;
  /** How many ids of `start` stand in front of each path. */
  readonly promptLength: number;
  readonly ends: ReadonlySet<number>;
  /** The path that holds only `start`. */
  begin(): Promise<Path<S>>;
  /** One more id. */
  extend(path: Path<S>, id: number): Promise<Path<S>>;
}

export function search<S>(operation: string, options: GenerateOptions<S>): Search<S> {
  const { step, maxLength, initialState } = options;
  if (typeof step !== "function") {
    const hint = "step: (ids, state) => ({ probabilities, state }).";
    throw new UnreelError({ operation: `${operation}: step`, expected: "a function", got: show(step), hint });
  }
  positiveInteger(`${operation}: maxLength`, maxLength);
  const start = idList(`${operation}: start`, options.start);
  if (start.length === 0) {
    throw new UnreelError({ operation: `${operation}: start`, expected: "an id or more", got: "none" });
  }
  const ends = new Set(idList(`${operation}: end`, options.end ?? []));

  const predict = async (ids: readonly number[], state: S, logProbability: number): Promise<Path<S>> => {
    const next = await step(ids, state);
    const logs = read(`${operation}: step`, next);
    for (const end of ends) {
      if (end < logs.length) continue;
      const expected = `ids below ${logs.length}, of which the step tells the probabilities`;
      throw new UnreelError({ operation: `${operation}: end`, expected, got: `${end}` });
    }
    return { ids, logProbability, state: next.state === undefined ? state : next.state, logs };
  };

  return {
    maxLength,
    promptLength: start.length,
    ends,
    async begin() {
      let path = await predict(start.slice(0, 1), initialState as S, 0);
      for (let seen = 2; seen <= start.length; seen++) {
        path = await predict(start.slice(0, seen), path.state, 0);
      }
      return path;
    },
    extend: ({ ids, state, logProbability, logs }, id) =>
      predict([...ids, id], state, logProbability + logs[id]),
  };
}

/** Goes on with one id at a time until an end comes. `choose` picks an id from logarithms of probabilities. */
export async function follow<S>(
  operation: string,
  options: GenerateOptions<S>,
  choose: (logs: Float64Array) => number,
): Promise<Decoded> {
  const { maxLength, promptLength, ends, begin, extend } = search(operation, options);
  let path = await begin();
  for (let length = 1; ; length++) {
    const id = choose(path.logs);
    const ended = ends.has(id);
    if (ended || length === maxLength) {
      const logProbability = path.logProbability + path.logs[id];
      const ids = [...path.ids.slice(promptLength), ...(ended ? [] : [id])];
      return { ids, logProbability, score: logProbability, ended };
    }
    path = await extend(path, id);
  }
}

function idList(operation: string, given: number | readonly number[]): number[] {
  const ids: unknown[] = [given].flat();
  const wrong = ids.findIndex((id) => !Number.isSafeInteger(id) || (id as number) < 0);
  if (wrong < 0) return ids as number[];
  throw new UnreelError({ operation, expected: "ids: integers from 0", got: show(ids[wrong]) });
}

function read(operation: string, next: unknown): Float64Array {
  const { probabilities, logits } = (typeof next === "object" && next !== null ? next : {}) as Partial<
    Next<unknown>
  >;
  if ((probabilities === undefined) === (logits === undefined)) {
    const got = probabilities === undefined ? show(next) : "both";
    const expected = "an object with either probabilities or logits";
    throw new UnreelError({ operation, expected, got, hint: "Return { probabilities, state }." });
  }
  return probabilities === undefined
    ? logProbabilities(operation, logits!, "logits")
    : logProbabilities(operation, probabilities, "probabilities");
}
