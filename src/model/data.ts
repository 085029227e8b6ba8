// Batches that are given in the place of arrays: how they are opened and closed, and what is refused beside them: options that are for
// arrays, and single samples. Not here: what fit is given (trainingData.ts).
import { show, UnreelError } from "../errors.js";
import type { Graph } from "../layers/graph.js";
import { showShape } from "../layers/symbolic.js";
import { MOST_AXES, Tensor } from "../tensor.js";
import type { InputLike } from "../training/arrays.js";
import { type Batches, type BatchParts, BatchStream } from "../training/feed.js";

export type Verbose = 0 | 1 | 2 | "auto";

/** Calls `work` with a stream of batches and the x of the first. */
export async function withBatches<R>(
  operation: string,
  data: Batches,
  epoch: number | undefined,
  work: (stream: BatchStream, x: InputLike) => Promise<R>,
): Promise<R> {
  const stream = new BatchStream(operation, data);
  try {
    const first = await stream.peek(epoch);
    // Before a model takes its shape from it.
    requireBatch(operation, first);
    return await work(stream, first.x as InputLike);
  } finally {
    await stream.close();
  }
}

/** Options that say how arrays are cut into batches have nothing to say where the data are batches. */
export function refuseOfArrays(operation: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) return;
  const given = options as Record<string, unknown>;
  const name = names.find((each) => given[each] !== undefined);
  if (name === undefined) return;
  const hints: Record<string, string> = {
    batchSize: "dataset.batch(n) makes the batches.",
    validationBatchSize: "dataset.batch(n) makes the batches.",
    shuffle: "dataset.shuffle(n), before it is batched.",
    sampleWeight: "The dataset's batches have it: [x, y, sampleWeight].",
    validationSplit: "Give validationData: dataset.take(n) and dataset.skip(n) are two parts of one.",
  };
  const expected = "no such option beside a dataset";
  throw new UnreelError({
    operation: `${operation}: ${name}`,
    expected,
    got: show(given[name]),
    hint: hints[name],
  });
}

/** Refuses a single sample: one whose x or y is a number, or x of the shape of an input without its first axis. */
export function requireBatch(operation: string, { x, y }: BatchParts, graph?: Graph): void {
  const rank = rankOf(x);
  const shape = graph?.inputs.length === 1 ? graph.inputs[0].shape : [];
  // [N] reads as [N, 1].
  const isColumn = rank === 1 && shape.length === 2 && (shape[1] ?? 1) === 1;
  const isSample = rank === shape.length - 1 && !isColumn;
  if (rank !== 0 && rankOf(y) !== 0 && !isSample) return;
  throw new UnreelError({
    operation,
    expected: "batches",
    got: `a single sample, ${y === undefined ? shapeOf(x) : `[${shapeOf(x)}, ${shapeOf(y)}]`}`,
    hint: "dataset.batch(32) makes batches of them; paddedBatch(32) those of sequences of different lengths.",
  });
}

/** How many axes numbers have; undefined for what are no numbers, or none of one shape. */
function rankOf(values: unknown, outside = 0): number | undefined {
  if (values instanceof Tensor) return values.shape.length;
  if (ArrayBuffer.isView(values)) return 1;
  if (typeof values === "number" || typeof values === "boolean") return 0;
  if (!Array.isArray(values) || values.length === 0 || outside > MOST_AXES) return undefined;
  const below = rankOf(values[0], outside + 1);
  return below === undefined ? undefined : below + 1;
}

/** Values in words. */
export function shapeOf(values: unknown): string {
  if (typeof values === "number" || typeof values === "boolean") return "a number";
  if (values instanceof Tensor) return `numbers of shape ${showShape(values.shape)}`;
  if (ArrayBuffer.isView(values)) return `numbers of shape (${(values as Float32Array).length},)`;
  if (typeof values === "object" && values !== null && Object.getPrototypeOf(values) === Object.prototype)
    return `an object with ${Object.keys(values).join(", ")}`;
  return show(values);
}
