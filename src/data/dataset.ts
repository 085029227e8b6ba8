// Dataset: a stream of elements that can be read again and again, and what makes one stream of another, as tf.data does.
// Not here: what an element is (element.ts), the ways of reading ahead and of grouping (streams.ts), files (csv.ts, lines.ts). These are loaded
// when the first element is asked for.
import { positiveInteger, show, UnreelError } from "../errors.js";
import { later } from "../later.js";
import { readOptions } from "../layers/options.js";
import { seedOr } from "../random.js";
import type { CsvElementOf, CsvOptions, CsvRecord } from "./csvTypes.js";
import { type Batch, type ElementOf, lengthOf, slices } from "./element.js";
import type { LinesOptions } from "./lines.js";
import { opened } from "./opened.js";
import type { Source } from "./source.js";

export type Stream<T> = Iterable<T> | AsyncIterable<T>;

const ways = () => later(import("./streams.js"));
type Ways = Awaited<ReturnType<typeof ways>>;

export interface BatchOptions {
  /** Leaves out the last elements when they are fewer. Default false. */
  dropRemainder?: boolean;
}

export interface PaddedBatchOptions extends BatchOptions {
  /** Shape of an element, null for an axis that is to be as long as the longest of the batch; for tuples and records one for each
   * place. Default: null for every axis. */
  paddedShapes?: unknown;
  /** A number, or for tuples and records one for each place. Default 0. */
  paddingValues?: unknown;
}

export interface BucketOptions<T> extends PaddedBatchOptions {
  /** Ascending lengths: [10, 20] makes buckets for lengths below 10, from 10 to 19, and from 20 on. */
  boundaries: readonly number[];
  /** Elements in a batch of each bucket: one more than boundaries. */
  batchSizes: readonly number[];
  /** Default: the length of the first axis of x, of the first of a tuple, or of the element itself. */
  lengthOf?: (element: T) => number;
  /** Every batch is as long as its bucket allows, boundary - 1: few different shapes. That is the first axis of x (of the first of
   * a tuple, of the element itself), and every null of `paddedShapes`. Default false: as long as its longest element. */
  padToBucketBoundary?: boolean;
}

export interface ShuffleOptions {
  /** Default: drawn from the global generator (`setRandomSeed`). */
  seed?: number | null;
  /** A new order in each epoch. Default true. */
  reshuffleEachIteration?: boolean;
}

/**
 * A stream of elements: values (numbers, texts, tensors), or tuples and records of values such as [x, y] and { x, y }. It is an
 * async iterable, `for await (const batch of dataset)`, and starts anew each time; the times are counted as epochs, from 0, and
 * what is shuffled has another order in each.
 *
 * Going on exactly where a run broke off: `dataset.iterate({ epoch, skip })` gives what is left of an epoch after `skip` elements,
 * bit for bit, when every `shuffle` was given its seed (or `setRandomSeed` was called first). What is skipped is still read and
 * mapped. Later epochs follow by themselves.
 */
export class Dataset<T> implements AsyncIterable<T> {
  /** How many elements an epoch has, where that is known; Infinity when it never ends. */
  readonly size: number | undefined;
  readonly #open: (epoch: number) => Stream<T>;
  #epoch = 0;

  /** Datasets are made by `fromTensors` and its like; `open` begins an epoch. */
  constructor(open: (epoch: number) => Stream<T>, size?: number) {
    const operation = "new Dataset";
    isFunction(operation, open);
    this.#open = (epoch) => returned(operation, open(epoch));
    this.size = size;
  }

  /** Slices of arrays along their first axis: of a tensor, a typed array or a flat array, or of a tuple or record of arrays, such as
   * [x, y] and { x, y, sampleWeight }. Rows of nested arrays may have different lengths. Nothing is copied. */
  static fromTensors<const S>(source: S): Dataset<ElementOf<S>> {
    const { size, item } = slices("Dataset.fromTensors", source);
    return new Dataset(function* () {
      for (let i = 0; i < size; i++) yield item(i) as ElementOf<S>;
    }, size);
  }

  /** What a function gives: it is called for each epoch, with its number, and returns an iterable or an async iterable. */
  static fromGenerator<T>(generator: (epoch: number) => Stream<T>): Dataset<T> {
    const operation = "Dataset.fromGenerator";
    if (typeof generator !== "function") {
      const hint = "A generator runs once; a function begins anew: () => values.";
      throw new UnreelError({ operation, expected: "a function", got: show(generator), hint });
    }
    return new Dataset((epoch) => returned(operation, generator(epoch)));
  }

  /** Records of CSV text, read as they are needed, whatever its size: see `CsvOptions`. Blank lines are left out. */
  static fromCsv(source: Source): Dataset<CsvRecord>;
  static fromCsv<const O extends CsvOptions, E extends CsvElementOf<O>>(
    source: Source,
    options: O,
  ): Dataset<E>;
  /** With the type of its elements given: `fromCsv<[Float32Array, number]>(…)`. */
  static fromCsv<T>(source: Source, options?: CsvOptions): Dataset<T>;
  static fromCsv(source: Source, options: CsvOptions = {}): Dataset<unknown> {
    return new Dataset(() =>
      opened(
        async () => (await later(import("./csv.js"))).csvElements(source, options) as AsyncGenerator<never>,
      ),
    );
  }

  /** Lines of text without their line breaks, read as they are needed. Empty ones count. */
  static fromLines(source: Source, options: LinesOptions = {}): Dataset<string> {
    return new Dataset(() =>
      opened(async () => (await later(import("./lines.js"))).linesOf(source, options)),
    );
  }

  /** Elements of several datasets side by side, in a tuple or a record; as long as the shortest. */
  static zip<const S extends readonly Dataset<unknown>[] | Readonly<Record<string, Dataset<unknown>>>>(
    datasets: S,
  ): Dataset<{ -readonly [K in keyof S]: S[K] extends Dataset<infer E> ? E : never }> {
    const entries = Object.entries(datasets ?? {});
    const wrong = entries.find(([, each]) => !(each instanceof Dataset));
    if (entries.length === 0 || wrong) {
      const got = wrong ? show(wrong[1]) : "none";
      throw new UnreelError({ operation: "Dataset.zip", expected: "a list or a record of datasets", got });
    }
    const sizes = entries.map(([, each]) => (each as Dataset<unknown>).size);
    const size = sizes.some((each) => each === undefined) ? undefined : Math.min(...(sizes as number[]));
    return new Dataset((epoch) => {
      const streams = entries.map(([name, each]) => [name, (each as Dataset<unknown>).#open(epoch)] as const);
      const isTuple = Array.isArray(datasets);
      return opened(async () => (await ways()).zipped(streams, isTuple) as AsyncGenerator<never>);
    }, size);
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.iterate()[Symbol.asyncIterator]();
  }

  /** What an epoch has after its first `skip` elements. The next one is counted on from there. */
  iterate(options: { epoch?: number; skip?: number } = {}): AsyncIterable<T> {
    const { epoch, skip } = readOptions("Dataset.iterate", options, {
      epoch: undefined as number | undefined,
      skip: 0,
    });
    const number = epoch ?? this.#epoch;
    wholeNumber("Dataset.iterate: epoch", number);
    wholeNumber("Dataset.iterate: skip", skip);
    this.#epoch = number + 1;
    const stream = this.#open(number);
    return skip > 0 || !(Symbol.asyncIterator in stream) ? skipped(stream, skip) : stream;
  }

  /** Another stream of this one's elements, by one of the ways in streams.ts. */
  #by<U>(
    make: (ways: Ways, stream: Stream<T>, epoch: number) => AsyncGenerator<U>,
    size?: number,
  ): Dataset<U> {
    return this.#to((stream, epoch) => opened(async () => make(await ways(), stream, epoch)), size);
  }

  /** Another stream of this one's elements. */
  #to<U>(make: (stream: Stream<T>, epoch: number) => Stream<U>, size?: number): Dataset<U> {
    return new Dataset((epoch) => make(this.#open(epoch), epoch), size);
  }

  /** What a function makes of each element, in their order. The function may be async: then up to `parallel` (default 1) run at a time. */
  map<U>(
    transform: (element: T) => U | Promise<U>,
    options: { parallel?: number } = {},
  ): Dataset<Awaited<U>> {
    const operation = "Dataset.map";
    isFunction(operation, transform);
    const { parallel } = readOptions(operation, options, { parallel: 1 });
    positiveInteger(`${operation}: parallel`, parallel);
    return this.#by(({ mappedAhead }, stream) => mappedAhead(stream, transform, parallel), this.size);
  }

  /** The elements of all iterables that a function makes, one after the other. */
  flatMap<U>(transform: (element: T) => Stream<U>): Dataset<U> {
    const operation = "Dataset.flatMap";
    isFunction(operation, transform);
    return this.#to(async function* (stream) {
      for await (const element of stream) yield* returned(operation, transform(element));
    });
  }

  /** Elements for which a function, async or not, says yes. */
  filter(keep: (element: T) => boolean | Promise<boolean>): Dataset<T> {
    isFunction("Dataset.filter", keep);
    return this.#to(async function* (stream) {
      for await (const element of stream) if (await keep(element)) yield element;
    });
  }

  /** Draws each next element from the `bufferSize` that come next. As large as the dataset, it is a whole shuffle. */
  shuffle(bufferSize: number, options: ShuffleOptions = {}): Dataset<T> {
    const operation = "Dataset.shuffle";
    positiveInteger(`${operation}: bufferSize`, bufferSize);
    const { seed, reshuffleEachIteration } = readOptions(operation, options, {
      seed: null as number | null,
      reshuffleEachIteration: true,
    });
    const own = seedOr(seed, `${operation}: seed`);
    return this.#by(
      ({ shuffled }, stream, epoch) => shuffled(stream, bufferSize, own, reshuffleEachIteration ? epoch : 0),
      this.size,
    );
  }

  /** `size` elements side by side: numbers and tensors become tensors with one axis more (float32, or int32 where all are), texts
   * become lists, tuples and records stay what they are. */
  batch(size: number, options: BatchOptions = {}): Dataset<Batch<T>> {
    const operation = "Dataset.batch";
    const { dropRemainder } = readBatch(operation, size, options, { dropRemainder: false });
    return this.#by(
      ({ grouped, stack }, stream) =>
        grouped(stream, size, dropRemainder, (elements) => stack(operation, elements) as Batch<T>),
      batches(this.size, size, dropRemainder),
    );
  }

  /** As `batch`, of elements of different lengths: they are filled up at their ends. */
  paddedBatch(size: number, options: PaddedBatchOptions = {}): Dataset<Batch<T>> {
    const operation = "Dataset.paddedBatch";
    const { dropRemainder, ...padding } = readBatch(operation, size, options, {
      dropRemainder: false,
      paddedShapes: undefined as unknown,
      paddingValues: undefined as unknown,
    });
    return this.#by(
      ({ grouped, stackPadded }, stream) =>
        grouped(
          stream,
          size,
          dropRemainder,
          (elements) => stackPadded(operation, elements, padding) as Batch<T>,
        ),
      batches(this.size, size, dropRemainder),
    );
  }

  /** Padded batches of elements that are about as long: little padding, whatever the lengths. Batches come as their buckets fill up;
   * at the end the rest of each, shortest first. tf.data's bucket_by_sequence_length. */
  bucketByLength(options: BucketOptions<T>): Dataset<Batch<T>> {
    const operation = "Dataset.bucketByLength";
    const read = readOptions(operation, options, {
      boundaries: [] as readonly number[],
      batchSizes: [] as readonly number[],
      lengthOf: lengthOf as (element: T) => number,
      padToBucketBoundary: false,
      dropRemainder: false,
      paddedShapes: undefined as unknown,
      paddingValues: undefined as unknown,
    });
    const { boundaries, batchSizes, padToBucketBoundary, paddedShapes, paddingValues } = read;
    const ascends =
      Array.isArray(boundaries) &&
      boundaries.length > 0 &&
      boundaries.every((b, i) => Number.isSafeInteger(b) && b > (i === 0 ? 0 : boundaries[i - 1]));
    if (!ascends) {
      const expected = "lengths above 0, ascending";
      throw new UnreelError({ operation: `${operation}: boundaries`, expected, got: show(boundaries) });
    }
    if (!Array.isArray(batchSizes) || batchSizes.length !== boundaries.length + 1) {
      const expected = `${boundaries.length + 1} sizes, one more than boundaries`;
      throw new UnreelError({ operation: `${operation}: batchSizes`, expected, got: show(batchSizes) });
    }
    for (const size of batchSizes) positiveInteger(`${operation}: batchSizes`, size);
    isFunction(`${operation}: lengthOf`, read.lengthOf);
    return this.#by(({ bucketed, stackPadded }, stream) => {
      const join = (elements: readonly T[], bucket: number) => {
        const boundary = padToBucketBoundary ? boundaries[bucket] - 1 : undefined;
        return stackPadded(operation, elements, { paddedShapes, paddingValues, boundary }) as Batch<T>;
      };
      return bucketed(operation, stream, { ...read, join });
    });
  }

  /** Windows of `size` elements as batches of them: they begin `shift` (default: size) elements apart and take every `stride`-th
   * (default 1) element. tf.data's `window`, each window batched. */
  window(
    size: number,
    options: { shift?: number; stride?: number; dropRemainder?: boolean } = {},
  ): Dataset<Batch<T>> {
    const operation = "Dataset.window";
    const { shift, stride, dropRemainder } = readBatch(operation, size, options, {
      shift: size,
      stride: 1,
      dropRemainder: false,
    });
    positiveInteger(`${operation}: shift`, shift);
    positiveInteger(`${operation}: stride`, stride);
    return this.#by(({ windowed, stack }, stream) =>
      windowed(
        stream,
        { size, shift, stride, dropRemainder },
        (elements) => stack(operation, elements) as Batch<T>,
      ),
    );
  }

  /** Keeps `count` elements ready: what reads and maps them goes on while the last one is worked with, wherever it waits. */
  prefetch(count: number): Dataset<T> {
    positiveInteger("Dataset.prefetch", count);
    return this.#by(({ ahead }, stream) => ahead(stream, count), this.size);
  }

  /** The first `count` elements. */
  take(count: number): Dataset<T> {
    wholeNumber("Dataset.take", count);
    return this.#to(
      async function* (stream) {
        if (count === 0) return;
        let taken = 0;
        for await (const element of stream) {
          yield element;
          if (++taken === count) return;
        }
      },
      this.size === undefined ? undefined : Math.min(this.size, count),
    );
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<T> {
    wholeNumber("Dataset.skip", count);
    return this.#to(
      (stream) => skipped(stream, count),
      this.size === undefined ? undefined : Math.max(this.size - count, 0),
    );
  }

  /** All of it `count` times, without end by default. Each time is an epoch of its own to what is shuffled before. */
  repeat(count = Number.POSITIVE_INFINITY): Dataset<T> {
    if (count !== Number.POSITIVE_INFINITY) wholeNumber("Dataset.repeat", count);
    // Without an end, there is hardly a second epoch: its rounds are far from those of the first.
    const rounds = Number.isFinite(count) ? count : 2 ** 20;
    const open = this.#open;
    const size = count === 0 || this.size === 0 ? 0 : this.size === undefined ? undefined : this.size * count;
    return new Dataset(async function* (epoch) {
      for (let round = 0; round < count; round++) {
        let isEmpty = true;
        for await (const element of open(epoch * rounds + round)) {
          isEmpty = false;
          yield element;
        }
        if (isEmpty) return;
      }
    }, size);
  }

  /** Keeps all elements in memory once they were all read; what comes before runs no more. */
  cache(): Dataset<T> {
    let kept: T[] | undefined;
    return this.#to(async function* (stream) {
      if (kept) {
        yield* kept;
        return;
      }
      const read: T[] = [];
      for await (const element of stream) {
        read.push(element);
        yield element;
      }
      kept = read;
    }, this.size);
  }

  /** This one's elements, then another's. */
  concatenate<U>(other: Dataset<U>): Dataset<T | U> {
    if (!(other instanceof Dataset)) {
      throw new UnreelError({ operation: "Dataset.concatenate", expected: "a dataset", got: show(other) });
    }
    const size = this.size === undefined || other.size === undefined ? undefined : this.size + other.size;
    return this.#to<T | U>(async function* (stream, epoch) {
      yield* stream;
      yield* other.#open(epoch);
    }, size);
  }

  /** [number, element], numbers from `start` (default 0) on. */
  enumerate(start = 0): Dataset<[number, T]> {
    if (!Number.isSafeInteger(start)) {
      throw new UnreelError({ operation: "Dataset.enumerate", expected: "an integer", got: show(start) });
    }
    return this.#to(async function* (stream): AsyncGenerator<[number, T]> {
      let number = start;
      for await (const element of stream) yield [number++, element];
    }, this.size);
  }

  /** All elements of an epoch. */
  async toArray(): Promise<T[]> {
    if (this.size === Number.POSITIVE_INFINITY) {
      const hint = "take(n) ends it.";
      throw new UnreelError({ operation: "Dataset.toArray", expected: "an end", got: "none", hint });
    }
    const out: T[] = [];
    for await (const element of this) out.push(element);
    return out;
  }
}

/** What a user's function gave, if it can be read. */
function returned<T>(operation: string, stream: Stream<T>): Stream<T> {
  const isStream =
    typeof stream === "object" &&
    stream !== null &&
    (Symbol.iterator in stream || Symbol.asyncIterator in stream);
  if (isStream) return stream;
  throw new UnreelError({ operation, expected: "the function to return an iterable", got: show(stream) });
}

async function* skipped<T>(stream: Stream<T>, count: number): AsyncGenerator<T> {
  let left = count;
  for await (const element of stream) {
    if (left > 0) left--;
    else yield element;
  }
}

function readBatch<O extends object>(operation: string, size: number, given: object, defaults: O): O {
  positiveInteger(`${operation}: size`, size);
  return readOptions(operation, given, defaults);
}

function batches(size: number | undefined, batch: number, dropRemainder: boolean): number | undefined {
  if (size === undefined) return undefined;
  return dropRemainder ? Math.floor(size / batch) : Math.ceil(size / batch);
}

function wholeNumber(operation: string, value: unknown): void {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return;
  throw new UnreelError({ operation, expected: "an integer, 0 or more", got: show(value) });
}

function isFunction(operation: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new UnreelError({ operation, expected: "a function", got: show(value) });
}
