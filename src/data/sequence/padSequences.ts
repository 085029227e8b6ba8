// Sequences of different lengths to one tensor: keras.utils.pad_sequences.
// Not here: windows over one long series (timeseries.ts), batches padded as they are made (../dataset.ts).

import { show, suggestion, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { type DType, Tensor, type TensorLike, tensor } from "../../tensor.js";

export interface PadSequencesOptions {
  /** Length of every row; without it, that of the longest sequence. */
  maxlen?: number;
  /** Default 'int32'. Unlike Keras, which drops fractions silently, values that do not fit are refused. */
  dtype?: DType;
  /** Where `value` goes in a row that is too short; default 'pre'. */
  padding?: "pre" | "post";
  /** Where a row that is too long loses its surplus; default 'pre'. */
  truncating?: "pre" | "post";
  /** Default 0. */
  value?: number;
}

const SIDES = ["pre", "post"] as const;

/**
 * N sequences to one tensor [N, maxlen, ...shape of a step] (https://keras.io/api/utils/python_utils/#padsequences-function).
 * A step is a number or a vector (or deeper); empty sequences become padding throughout.
 */
export function padSequences(sequences: readonly TensorLike[], options: PadSequencesOptions = {}): Tensor {
  const { dtype, padding, truncating, value, maxlen } = readOptions<PadSequencesOptions>(
    "padSequences",
    options,
    {
      maxlen: undefined,
      dtype: "int32",
      padding: "pre",
      truncating: "pre",
      value: 0,
    },
  ) as Required<PadSequencesOptions>;
  oneOf("dtype", dtype, ["int32", "float32"]);
  oneOf("padding", padding, SIDES);
  oneOf("truncating", truncating, SIDES);
  if (typeof value !== "number" || (dtype === "int32" && value !== (value | 0))) {
    throw new UnreelError({
      operation: "padSequences: value",
      expected: `a number of dtype ${dtype}`,
      got: show(value),
    });
  }
  if (!Array.isArray(sequences)) {
    throw new UnreelError({
      operation: "padSequences",
      expected: "a list of sequences",
      got: show(sequences),
    });
  }
  const rows = sequences.map((sequence, n) => checked(sequence, n, dtype));
  const first = rows.findIndex((row) => row.shape[0] > 0);
  const step = first < 0 ? [] : rows[first].shape.slice(1);
  const length = lengthOf(maxlen, rows);

  const size = step.reduce((product, dimension) => product * dimension, 1);
  const stride = length * size;
  const data =
    dtype === "int32" ? new Int32Array(rows.length * stride) : new Float32Array(rows.length * stride);
  if (value !== 0) data.fill(value);
  rows.forEach((row, n) => {
    const steps = row.shape[0];
    if (steps === 0) return;
    if (
      row.shape.length !== step.length + 1 ||
      step.some((dimension, axis) => dimension !== row.shape[axis + 1])
    ) {
      throw new UnreelError({
        operation: "padSequences",
        expected: `steps of shape [${step}] as in sequence ${first}`,
        got: `steps of shape [${row.shape.slice(1)}] in sequence ${n}`,
      });
    }
    const kept = Math.min(steps, length);
    const from = truncating === "pre" ? steps - kept : 0;
    const to = padding === "pre" ? length - kept : 0;
    data.set(row.data.subarray(from * size, (from + kept) * size), n * stride + to * size);
  });
  return new Tensor(data, [rows.length, length, ...step]);
}

/** One sequence as a tensor of the wanted type; an error says which sequence. */
function checked(sequence: TensorLike, n: number, dtype: DType): Tensor {
  try {
    const row = tensor(sequence, undefined, dtype);
    if (row.shape.length > 0) return row;
  } catch (error) {
    if (!(error instanceof UnreelError)) throw error;
    const { expected, got, hint } = error;
    throw new UnreelError({ operation: "padSequences", expected, got: `${got} in sequence ${n}`, hint });
  }
  throw new UnreelError({
    operation: "padSequences",
    expected: "sequences of numbers or of vectors",
    got: `${show(sequence)} as sequence ${n}`,
    hint: "A single sequence goes into a list: [sequence].",
  });
}

function lengthOf(maxlen: unknown, rows: readonly Tensor[]): number {
  if (maxlen === undefined || maxlen === null) {
    if (rows.length > 0) return rows.reduce((most, row) => Math.max(most, row.shape[0]), 0);
    const hint = "The length of no sequences is not known: give maxlen.";
    throw new UnreelError({
      operation: "padSequences",
      expected: "at least one sequence",
      got: "none",
      hint,
    });
  }
  if (typeof maxlen === "number" && Number.isSafeInteger(maxlen) && maxlen > 0) return maxlen;
  throw new UnreelError({
    operation: "padSequences: maxlen",
    expected: "a positive integer",
    got: show(maxlen),
  });
}

function oneOf(option: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new UnreelError({
    operation: `padSequences: ${option}`,
    expected: known.map((name) => `'${name}'`).join(" or "),
    got: show(value),
    hint: typeof value === "string" ? suggestion(value, known) : undefined,
  });
}
