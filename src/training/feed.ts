// Where a loop's batches come from: cut out of whole arrays, or as a stream gives them, one already made after the other.
// Not here: what a batch has to be for a model (arrays.ts, weights.ts), what is done with it (step.ts, fit.ts).
import { show, UnreelError } from "../errors.js";
import type { Random } from "../random.js";
import type { DataSet, Steps } from "./step.js";

/** A batch that can be written into memory. */
export interface Turn {
  readonly samples: number;
  fill(steps: Steps): void;
}

/** Once through the data. */
export interface Pass {
  /** The next batch; undefined at the end. */
  next(): Promise<Turn | undefined>;
  /** When no more is wanted: files are closed. */
  close(): Promise<void>;
}

export interface Feed {
  /** Batches of a pass and their samples, where that is known; Infinity when it never ends. */
  readonly batches: number | undefined;
  readonly samples: number | undefined;
  /** The whole data, where they are there. */
  readonly data: DataSet | undefined;
  /** Begins a pass; whole data are put into a new order first when `random` is given. */
  begin(random?: Random): Pass;
}

/** Batches of whole arrays. The last one has what is left. */
export function arrayFeed(data: DataSet, batchSize: number): Feed {
  const { samples } = data;
  let order: Uint32Array | undefined;
  return {
    batches: Math.ceil(samples / batchSize),
    samples,
    data,
    begin(random) {
      if (random) {
        order ??= Uint32Array.from({ length: samples }, (_, i) => i);
        random.shuffle(order);
      }
      let next = 0;
      return {
        async next() {
          if (next >= samples) return undefined;
          const start = next;
          next += batchSize;
          const count = Math.min(batchSize, samples - start);
          return { samples: count, fill: (steps) => steps.fill(order, start, count) };
        },
        async close() {},
      };
    },
  };
}

/** What fit, evaluate and predict take in the place of arrays: a `data.Dataset`, or anything async that can be read again and again.
 * Each element is a batch: [x, y], [x, y, sampleWeight], or { x, y, sampleWeight }. */
export type Batches = AsyncIterable<unknown>;

export function isStream(given: unknown): given is Batches {
  return typeof given === "object" && given !== null && Symbol.asyncIterator in given;
}

export interface BatchParts {
  readonly x: unknown;
  readonly y?: unknown;
  readonly sampleWeight?: unknown;
}

/** x, y and weights of a batch. A list is [x, y, sampleWeight], as Keras reads one; what is neither that nor such a record is x. */
export function partsOf(operation: string, batch: unknown): BatchParts {
  if (Array.isArray(batch) && batch.some((part) => typeof part === "object" && part !== null)) {
    if (batch.length <= 3) return { x: batch[0], y: batch[1], sampleWeight: batch[2] };
    const expected = "batches [x, y] or [x, y, sampleWeight]";
    const hint = "Several inputs or targets are a list, or a record by name, in the place of x or y.";
    throw new UnreelError({ operation, expected, got: `a list of ${batch.length}`, hint });
  }
  const isPlain =
    typeof batch === "object" && batch !== null && Object.getPrototypeOf(batch) === Object.prototype;
  if (!isPlain || !("x" in batch)) return { x: batch };
  const stranger = Object.keys(batch).find((key) => !["x", "y", "sampleWeight"].includes(key));
  if (stranger === undefined) return batch as BatchParts;
  throw new UnreelError({ operation, expected: "batches { x, y, sampleWeight }", got: show(stranger) });
}

/** A stream of batches, read pass by pass. */
export class BatchStream {
  readonly #operation: string;
  readonly #stream: Batches;
  /** The pass that was begun to look at the first batch. */
  #begun: { batches: AsyncIterator<unknown>; first?: IteratorResult<unknown> } | undefined;

  constructor(operation: string, stream: Batches) {
    this.#operation = operation;
    this.#stream = stream;
  }

  /** The first batch, from which a model takes shapes that it was not given; the first pass begins with it. `epoch`: that pass'
   * number, where it is not the next one that the dataset counts. */
  async peek(epoch?: number): Promise<BatchParts> {
    const again = "iterate" in this.#stream ? (this.#stream.iterate as (from: object) => Batches) : undefined;
    const from = epoch !== undefined && again ? again.call(this.#stream, { epoch }) : this.#stream;
    const batches = from[Symbol.asyncIterator]();
    const first = await batches.next();
    if (first.done) throw noBatch(this.#operation, "none");
    this.#begun = { batches, first };
    return partsOf(this.#operation, first.value);
  }

  /** Its batches, each made fit for a model by `read`. */
  feed(read: (batch: BatchParts) => DataSet): Feed {
    const size = "size" in this.#stream ? this.#stream.size : undefined;
    return {
      batches: typeof size === "number" ? size : undefined,
      samples: undefined,
      data: undefined,
      begin: () => this.#pass(read),
    };
  }

  /** Gives up the pass that `peek` began, when nobody took it. */
  async close(): Promise<void> {
    await this.#begun?.batches.return?.();
    this.#begun = undefined;
  }

  #pass(read: (batch: BatchParts) => DataSet): Pass {
    let { batches, first } = this.#begun ?? { batches: this.#stream[Symbol.asyncIterator]() };
    this.#begun = undefined;
    let number = 0;
    let isDone = false;
    return {
      next: async () => {
        if (isDone) return undefined;
        const found = first ?? (await batches.next());
        first = undefined;
        if (found.done) {
          isDone = true;
          return undefined;
        }
        number++;
        const where = number;
        const data = naming(where, () => read(partsOf(this.#operation, found.value)));
        return {
          samples: data.samples,
          fill: (steps) => {
            naming(where, () => steps.use(data));
            steps.fill(undefined, 0, data.samples);
          },
        };
      },
      close: async () => {
        if (!isDone) await batches.return?.();
        isDone = true;
      },
    };
  }
}

/** An error of a batch says which one. */
function naming<R>(batch: number, work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnreelError)) throw error;
    const { operation, expected, got, hint } = error;
    throw new UnreelError({ operation: `${operation} (batch ${batch})`, expected, got, hint });
  }
}

export function noBatch(operation: string, got: string): UnreelError {
  const hint = "A generator runs once: Dataset.fromGenerator(() => …) begins anew for each epoch.";
  return new UnreelError({ operation, expected: "at least one batch", got, hint });
}

/** A stream without an end needs a number of batches. */
export function checkEnds(operation: string, option: string, feed: Feed, steps: number | undefined): void {
  if (feed.batches !== Number.POSITIVE_INFINITY || steps !== undefined) return;
  const hint = `${option} says how many of its batches are taken.`;
  throw new UnreelError({
    operation,
    expected: "a dataset that ends",
    got: "one that repeats for ever",
    hint,
  });
}
