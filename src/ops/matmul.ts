// Products of a batch of matrices: out [..., M, N] = a [..., M, K] · b [..., K, N], with a or b turned as they lie.
// A matrix without leading axes is shared by the whole batch. Batch-major values only; leading axes agree.
import { Size } from "../program/size.js";
import type { Emitter, Op, Value } from "./op.js";

/** Which operand lies with its last two axes exchanged. */
export type Turned = "none" | "a" | "b";

const FORMS = { NN: 0, NT: 1, TN: 2 } as const;

function matrix({ shape }: Value, isTurned: boolean) {
  const [rows, columns] = shape.slice(-2);
  return isTurned ? [columns, rows] : [rows, columns];
}

/** Numbers from one matrix to the next, 0 for a shared one. */
function step({ shape }: Value, isShared: boolean): Size {
  return isShared ? Size.zero : Size.product(shape.slice(-2));
}

/** The last two axes of a and b, and how many products there are. */
function sizes(a: Value, b: Value, turned: Turned) {
  const [M, K] = matrix(a, turned === "a");
  const [, N] = matrix(b, turned === "b");
  const leading = (a.shape.length > 2 ? a : b).shape.slice(0, -2);
  const batch = Size.product(leading);
  const steps = { a: step(a, a.shape.length === 2), b: step(b, b.shape.length === 2) };
  return { M: Size.of(M), K: Size.of(K), N: Size.of(N), leading, batch, steps };
}

export const matmul: Op<{ turned: Turned }> = {
  name: "matmul",

  flops({ inputs: [a, b], attributes: { turned } }) {
    const { M, N, K, batch } = sizes(a!, b!, turned);
    return Size.product([batch, M, N, K]).times(2);
  },

  outputs([a, b], { turned }) {
    const [M] = matrix(a!, turned === "a");
    const [, N] = matrix(b!, turned === "b");
    return [{ shape: [...sizes(a!, b!, turned).leading, M, N] }];
  },

  forward(e, { inputs: [a, b], outputs: [out], attributes: { turned } }) {
    const { M, N, K, batch, steps } = sizes(a!, b!, turned);
    const form = { none: FORMS.NN, a: FORMS.TN, b: FORMS.NT }[turned];
    const last = [batch, M, N, K, form, 0, e.gemmScratch()] as const;
    e.call("gemmBatch", out, M.times(N), a!, steps.a, b!, steps.b, ...last);
  },

  backward(e, { inputs: [a, b], outputs: [out], attributes: { turned } }) {
    const { M, N, K, batch, steps } = sizes(a!, b!, turned);
    const dout = e.gradientOf(out)!;
    const [A, B, D] = [
      [a!.pointer, steps.a],
      [b!.pointer, steps.b],
      [dout, M.times(N)],
    ] as const;
    const add = (
      value: Value,
      own: Size,
      left: Operand,
      right: Operand,
      ...sizes: [Size, Size, Size, number]
    ) => {
      if (e.wants(value)) product(e, value, own, left, right, batch, ...sizes);
    };
    if (turned === "none") {
      add(a!, steps.a, D, B, M, K, N, FORMS.NT);
      add(b!, steps.b, A, D, K, N, M, FORMS.TN);
    } else if (turned === "b") {
      add(a!, steps.a, D, B, M, K, N, FORMS.NN);
      add(b!, steps.b, D, A, N, K, M, FORMS.TN);
    } else {
      add(a!, steps.a, B, D, K, M, N, FORMS.NT);
      add(b!, steps.b, A, D, K, N, M, FORMS.NN);
    }
  },
};

type Operand = readonly [Value["pointer"], Size];

/** The gradient of `value`: the products of left and right, [M, N] over K. */
function product(
  e: Emitter,
  value: Value,
  own: Size,
  [left, leftStep]: Operand,
  [right, rightStep]: Operand,
  batch: Size,
  M: Size,
  N: Size,
  K: Size,
  form: number,
): void {
  const { pointer, accumulate } = e.accumulator(value);
  const last = [batch, M, N, K, form, accumulate, e.gemmScratch()] as const;
  e.call("gemmBatch", pointer, own, left, leftStep, right, rightStep, ...last);
}
