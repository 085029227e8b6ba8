// Windows over one long series, in batches: keras.utils.timeseries_dataset_from_array.
// Not here: windows over a stream (Dataset.window).
import { positiveInteger, show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { Random, seedOr } from "../../random.js";
import { Tensor, type TensorLike, tensor } from "../../tensor.js";
import { Dataset } from "../dataset.js";

export interface TimeseriesOptions {
  /** Steps of a window. */
  sequenceLength: number;
  /** Steps between the beginnings of two windows. Default 1. */
  sequenceStride?: number;
  /** Steps between two steps of a window. Default 1. */
  samplingRate?: number;
  /** Windows in a batch, the last may have fewer; null: single windows. Default 128. */
  batchSize?: number | null;
  /** A new order of all windows in each epoch (ours, not NumPy's). Default false. */
  shuffle?: boolean;
  seed?: number | null;
  /** The first step that is used; null: 0. */
  startIndex?: number | null;
  /** The step behind the last that is used, less than the length of the data; null: all. */
  endIndex?: number | null;
}

const OPERATION = "timeseriesDatasetFromArray";

/**
 * A dataset of batches [windows, targets], or of windows alone where `targets` is null: float32 (or int32) tensors
 * [batch, sequenceLength, ...features] and [batch, ...target]. The target of a window is that of its *first* step, as in Keras: shift
 * them (`data.slice(0, -n)`, `targets.slice(n)`). Windows are cut as they are needed.
 * https://keras.io/api/data_loading/timeseries/
 */
export function timeseriesDatasetFromArray(
  data: TensorLike,
  targets: null | undefined,
  options: TimeseriesOptions,
): Dataset<Tensor>;
export function timeseriesDatasetFromArray(
  data: TensorLike,
  targets: TensorLike,
  options: TimeseriesOptions,
): Dataset<[Tensor, Tensor]>;
export function timeseriesDatasetFromArray(
  data: TensorLike,
  targets: TensorLike | null | undefined,
  options: TimeseriesOptions,
): Dataset<Tensor> | Dataset<[Tensor, Tensor]> {
  const read = readOptions(OPERATION, options, {
    sequenceLength: undefined as unknown as number,
    sequenceStride: 1,
    samplingRate: 1,
    batchSize: 128 as number | null,
    shuffle: false,
    seed: null as number | null,
    startIndex: null as number | null,
    endIndex: null as number | null,
  });
  const { sequenceLength, sequenceStride, samplingRate, batchSize, shuffle } = read;
  const series = seriesOf("data", data);
  const length = series.shape[0];
  positiveInteger(`${OPERATION}: sequenceLength`, sequenceLength);
  if (batchSize !== null) positiveInteger(`${OPERATION}: batchSize`, batchSize);
  for (const [name, value] of Object.entries({ sequenceStride, samplingRate })) {
    positiveInteger(`${OPERATION}: ${name}`, value);
    if (value >= length && length > 1) refuse(name, `less than the length of the data, ${length}`, value);
  }
  const startIndex = index("startIndex", read.startIndex, 0, length - 1) ?? 0;
  const endIndex = index("endIndex", read.endIndex, startIndex + 1, length - 1) ?? length;

  const available = endIndex - startIndex - (sequenceLength - 1) * samplingRate;
  if (available <= 0) {
    throw new UnreelError({
      operation: OPERATION,
      expected: `a series of at least ${(sequenceLength - 1) * samplingRate + 1} steps, as long as a window`,
      got: `${endIndex - startIndex} steps`,
    });
  }
  const goals = targets === null || targets === undefined ? undefined : seriesOf("targets", targets);
  const used = goals ? Math.min(available, goals.shape[0]) : available;
  const count = Math.ceil(used / sequenceStride);
  if (goals && (count === 0 || startIndex + (count - 1) * sequenceStride >= goals.shape[0])) {
    throw new UnreelError({
      operation: `${OPERATION}: targets`,
      expected: `one for each window, the last of which begins at step ${startIndex + (count - 1) * sequenceStride}`,
      got: `${goals.shape[0]} targets`,
    });
  }
  const seed = shuffle ? seedOr(read.seed, `${OPERATION}: seed`) : 0;

  function* batches(epoch: number): Generator<Tensor | [Tensor, Tensor]> {
    const order = Uint32Array.from({ length: count }, (_, i) => startIndex + i * sequenceStride);
    if (shuffle) new Random(seed, epoch).shuffle(order);
    const size = batchSize ?? 1;
    for (let from = 0; from < count; from += size) {
      const starts = order.subarray(from, from + size);
      const windows = gather(series, starts, sequenceLength, samplingRate);
      const answers = goals && gather(goals, starts, 1, 1);
      const shapes = batchSize === null ? [] : [starts.length];
      const x = new Tensor(windows, [...shapes, sequenceLength, ...series.shape.slice(1)]);
      yield answers ? [x, new Tensor(answers, [...shapes, ...goals.shape.slice(1)])] : x;
    }
  }
  return new Dataset(batches, Math.ceil(count / (batchSize ?? 1))) as
    | Dataset<Tensor>
    | Dataset<[Tensor, Tensor]>;
}

function seriesOf(name: string, given: TensorLike): Tensor {
  const series = tensor(given);
  if (series.shape.length > 0 && series.shape[0] > 0) return series;
  const got = series.shape.length === 0 ? "a number" : "no steps";
  throw new UnreelError({
    operation: `${OPERATION}: ${name}`,
    expected: "a series, time along the first axis",
    got,
  });
}

function refuse(name: string, expected: string, value: unknown): never {
  throw new UnreelError({ operation: `${OPERATION}: ${name}`, expected, got: show(value) });
}

function index(name: string, value: unknown, low: number, high: number): number | undefined {
  if (value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= low && value <= high) return value;
  refuse(name, `an integer from ${low} to ${high}`, value);
}

/** `steps` steps of the series from each start on. */
function gather(
  { data, shape }: Tensor,
  starts: Uint32Array,
  steps: number,
  rate: number,
): Float32Array | Int32Array {
  const width = data.length / shape[0];
  const size = starts.length * steps * width;
  const out = data instanceof Int32Array ? new Int32Array(size) : new Float32Array(size);
  let at = 0;
  for (const start of starts) {
    if (rate === 1) {
      out.set(data.subarray(start * width, (start + steps) * width), at);
      at += steps * width;
      continue;
    }
    for (let step = 0; step < steps; step++, at += width) {
      const from = (start + step * rate) * width;
      out.set(data.subarray(from, from + width), at);
    }
  }
  return out;
}
