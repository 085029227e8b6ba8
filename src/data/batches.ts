// Data that adapts something: one tensor, or batches of tensors that stream by (of [x, y] and { x, y } the x counts).
import { show, UnreelError } from "../errors.js";
import { Tensor, type TensorLike, tensor } from "../tensor.js";

export type TensorBatches = TensorLike | Iterable<TensorLike> | AsyncIterable<unknown>;

/** Calls `add` with every batch, then `finish`; a promise when the batches come as one. Arrays are one tensor, not batches, but for
 * those whose elements are tensors: series of different lengths are no tensor. */
export function eachBatch<R>(
  operation: string,
  data: unknown,
  add: (batch: Tensor, isWhole: boolean) => void,
  finish: () => R,
): R | Promise<R> {
  const isList = Array.isArray(data) && data.length > 0 && data.every((part) => part instanceof Tensor);
  const isTensor =
    typeof data === "number" || Array.isArray(data) || ArrayBuffer.isView(data) || data instanceof Tensor;
  if (isTensor && !isList) {
    add(tensor(data as TensorLike), true);
    return finish();
  }
  if (typeof data === "object" && data !== null) {
    if (Symbol.iterator in data) {
      for (const batch of data as Iterable<unknown>) add(inputOf(operation, batch), false);
      return finish();
    }
    if (Symbol.asyncIterator in data) {
      return (async () => {
        for await (const batch of data as AsyncIterable<unknown>) add(inputOf(operation, batch), false);
        return finish();
      })();
    }
  }
  const expected = "numbers in an array or a tensor, or batches of them, iterable";
  throw new UnreelError({ operation, expected, got: show(data) });
}

/** A batch, or the x of one. */
function inputOf(operation: string, batch: unknown): Tensor {
  if (Array.isArray(batch) && batch.some((part) => part instanceof Tensor))
    return inputOf(operation, batch[0]);
  const isTensor =
    typeof batch === "number" || Array.isArray(batch) || ArrayBuffer.isView(batch) || batch instanceof Tensor;
  if (isTensor) return tensor(batch as TensorLike);
  if (typeof batch === "object" && batch !== null && "x" in batch) return inputOf(operation, batch.x);
  const hint = "Choose the numbers with map first: dataset.map(({ x }) => x).";
  throw new UnreelError({ operation, expected: "batches of numbers", got: show(batch), hint });
}
