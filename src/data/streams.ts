// One stream from another: reading ahead, shuffling, groups, windows, buckets. Every one closes what it reads when it is left early.
import { show, UnreelError } from "../errors.js";
import { Random } from "../random.js";
import type { Stream } from "./dataset.js";

export { stack, stackPadded } from "./stack.js";

function iteratorOf<T>(stream: Stream<T>): AsyncIterator<T> {
  return Symbol.asyncIterator in stream
    ? stream[Symbol.asyncIterator]()
    : (async function* () {
        yield* stream;
      })();
}

/** A promise whose failure is heard when somebody waits for it, and not before. */
function held<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Keeps `count` elements asked for. */
export async function* ahead<T>(stream: Stream<T>, count: number): AsyncGenerator<T> {
  const iterator = iteratorOf(stream);
  const queue: Promise<IteratorResult<T>>[] = [];
  const ask = () => queue.push(held(iterator.next()));
  try {
    while (queue.length < count) ask();
    for (;;) {
      const { done, value } = await queue.shift()!;
      if (done) return;
      ask();
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** Calls for up to `parallel` elements run at a time; what they give comes in the order of the elements. */
export async function* mappedAhead<T, U>(
  stream: Stream<T>,
  transform: (element: T) => U | Promise<U>,
  parallel: number,
): AsyncGenerator<Awaited<U>> {
  if (parallel === 1) {
    for await (const element of stream) yield await transform(element);
    return;
  }
  const queue: Promise<Awaited<U>>[] = [];
  for await (const element of stream) {
    queue.push(held((async (): Promise<Awaited<U>> => await transform(element))()));
    if (queue.length >= parallel) yield await queue.shift()!;
  }
  while (queue.length > 0) yield await queue.shift()!;
}

/** Each next element is drawn from a buffer, in whose place the one that comes next goes. */
export async function* shuffled<T>(
  stream: Stream<T>,
  size: number,
  seed: number,
  epoch: number,
): AsyncGenerator<T> {
  const random = new Random(seed, epoch);
  const buffer: T[] = [];
  for await (const element of stream) {
    if (buffer.length < size) {
      buffer.push(element);
      continue;
    }
    const i = random.integer(size);
    yield buffer[i];
    buffer[i] = element;
  }
  while (buffer.length > 0) {
    const i = random.integer(buffer.length);
    const drawn = buffer[i];
    buffer[i] = buffer[buffer.length - 1];
    buffer.pop();
    yield drawn;
  }
}

export async function* grouped<T, U>(
  stream: Stream<T>,
  size: number,
  dropRemainder: boolean,
  join: (elements: readonly T[]) => U,
): AsyncGenerator<U> {
  let group: T[] = [];
  for await (const element of stream) {
    group.push(element);
    if (group.length < size) continue;
    yield join(group);
    group = [];
  }
  if (group.length > 0 && !dropRemainder) yield join(group);
}

export interface Windows {
  readonly size: number;
  readonly shift: number;
  readonly stride: number;
  readonly dropRemainder: boolean;
}

export async function* windowed<T, U>(
  stream: Stream<T>,
  { size, shift, stride, dropRemainder }: Windows,
  join: (elements: readonly T[]) => U,
): AsyncGenerator<U> {
  const span = (size - 1) * stride + 1;
  /** From the first element of the next window on. */
  let buffer: T[] = [];
  let gap = 0;
  const move = () => {
    gap = Math.max(shift - buffer.length, 0);
    buffer = buffer.slice(shift);
  };
  const window = () => join(buffer.slice(0, span).filter((_, i) => i % stride === 0));
  for await (const element of stream) {
    if (gap > 0) {
      gap--;
      continue;
    }
    buffer.push(element);
    if (buffer.length < span) continue;
    yield window();
    move();
  }
  while (buffer.length > 0 && !dropRemainder) {
    yield window();
    move();
  }
}

export interface Buckets<T, U> {
  readonly boundaries: readonly number[];
  readonly batchSizes: readonly number[];
  readonly lengthOf: (element: T) => number;
  readonly dropRemainder: boolean;
  /** Whether no element may be as long as the last boundary. */
  readonly padToBucketBoundary: boolean;
  readonly join: (elements: readonly T[], bucket: number) => U;
}

export async function* bucketed<T, U>(
  operation: string,
  stream: Stream<T>,
  { boundaries, batchSizes, lengthOf, dropRemainder, padToBucketBoundary, join }: Buckets<T, U>,
): AsyncGenerator<U> {
  const buckets: T[][] = batchSizes.map(() => []);
  let index = 0;
  for await (const element of stream) {
    const length = lengthOf(element);
    if (typeof length !== "number" || !(length >= 0)) {
      const got = `${show(length)} for element ${index}`;
      throw new UnreelError({ operation: `${operation}: lengthOf`, expected: "a length, 0 or more", got });
    }
    const found = boundaries.findIndex((boundary) => length < boundary);
    const bucket = found < 0 ? boundaries.length : found;
    if (padToBucketBoundary && found < 0) {
      throw new UnreelError({
        operation,
        expected: `elements shorter than the last boundary, ${boundaries.at(-1)}, with padToBucketBoundary`,
        got: `${length} in element ${index}`,
      });
    }
    buckets[bucket].push(element);
    index++;
    if (buckets[bucket].length < batchSizes[bucket]) continue;
    yield join(buckets[bucket], bucket);
    buckets[bucket] = [];
  }
  if (dropRemainder) return;
  for (const [bucket, elements] of buckets.entries()) if (elements.length > 0) yield join(elements, bucket);
}

/** As long as the shortest; the others are closed then. */
export async function* zipped(
  streams: readonly (readonly [string, Stream<unknown>])[],
  asTuple: boolean,
): AsyncGenerator<unknown> {
  const iterators = streams.map(([name, stream]) => [name, iteratorOf(stream)] as const);
  try {
    for (;;) {
      const values: [string, unknown][] = [];
      for (const [name, iterator] of iterators) {
        const { done, value } = await iterator.next();
        if (done) return;
        values.push([name, value]);
      }
      yield asTuple ? values.map(([, value]) => value) : Object.fromEntries(values);
    }
  } finally {
    for (const [, iterator] of iterators) await iterator.return?.();
  }
}
