// The whole state of a training as bytes: weights, the optimizer's slots and steps, states of layers, random numbers, the place in the data. For
// going on in the same program, with the same bits: a zip of state.json and numbers.bin (float32, little endian).
// Not here: models for other programs (formats/), and who keeps the bytes (callbacks/backupAndRestore.ts).
import { show, UnreelError } from "../errors.js";
import type { Weight } from "../layers/weight.js";
import { Tensor } from "../tensor.js";
import { readZip, writeZip } from "../zip.js";
import type { Trainee } from "./fit.js";

/** Where a training goes on, and with which random numbers. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
  /** What shuffles the samples, from the first epoch on. */
  readonly shuffle: number;
  /** What dropout draws from, and how many steps it has made. */
  readonly steps: { readonly seed: number; readonly runs: number };
}

const VERSION = 2;

interface State {
  readonly version: typeof VERSION;
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly optimizer: string;
  readonly slots: readonly string[];
  readonly iterations: number;
  readonly learningRate?: number;
  readonly hasSlots: boolean;
  /** Numbers in each state that a layer keeps from batch to batch. */
  readonly states: readonly number[];
  readonly position: Position;
}

const STATE = "state.json";
const NUMBERS = "numbers.bin";

export async function writeBackup(
  { executor, compiled }: Trainee,
  position: Position,
  learningRate: number,
): Promise<Uint8Array> {
  const { optimizer } = compiled;
  const { weights } = executor.graph;
  const kept = executor.slots(compiled);
  const states = executor.keptStates();
  const state: State = {
    version: VERSION,
    weights: weights.map(({ name, shape }) => ({ name, shape })),
    optimizer: optimizer.className,
    slots: optimizer.slots,
    iterations: optimizer.iterations,
    ...(!optimizer.schedule && { learningRate }),
    hasSlots: kept !== undefined,
    states: states.map(({ length }) => length),
    position,
  };
  const arrays = [...weights.flatMap((weight) => [weight.read(), ...(kept?.get(weight) ?? [])]), ...states];
  const numbers = new DataView(new ArrayBuffer(4 * arrays.reduce((sum, { length }) => sum + length, 0)));
  let at = 0;
  for (const array of arrays) for (const value of array) numbers.setFloat32(4 * at++, value, true);
  return writeZip(
    new Map([
      [STATE, new TextEncoder().encode(JSON.stringify(state))],
      [NUMBERS, new Uint8Array(numbers.buffer)],
    ]),
  );
}

/** Takes everything over but the position, which it returns. All is checked before anything is changed. */
export async function readBackup(operation: string, bytes: Uint8Array, trainee: Trainee): Promise<Position> {
  const { executor, compiled } = trainee;
  const { optimizer } = compiled;
  const { weights } = executor.graph;
  const { state, numbers } = await unpacked(operation, bytes);
  const refuse = (what: string, expected: unknown, got: unknown) =>
    new UnreelError({
      operation: `${operation}: ${what}`,
      expected: String(expected),
      got: String(got),
      hint: "The backup is that of another model or another compile: give each its own backupDir, or delete the file to begin anew.",
    });
  const shapes = (list: readonly { readonly shape: readonly number[] }[]) =>
    list.map(({ shape }) => `[${shape}]`).join(" ");
  if (shapes(state.weights) !== shapes(weights))
    throw refuse("weights", shapes(weights), shapes(state.weights));
  const made = ({ className, slots }: { className: string; slots: readonly string[] }) =>
    `${className} (${slots.join(", ")})`;
  const found = made({ className: state.optimizer, slots: state.slots });
  if (found !== made(optimizer)) throw refuse("optimizer", made(optimizer), found);
  const states = executor.keptStates();
  const lengths = states.map(({ length }) => length);
  if (state.states.join() !== lengths.join())
    throw refuse("states of layers", `[${lengths}] numbers`, `[${state.states}]`);
  const each = 1 + (state.hasSlots ? optimizer.slots.length : 0);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const size = 4 * (each * sum(weights.map((weight) => weight.size)) + sum(lengths));
  if (numbers.byteLength !== size) throw refuse(NUMBERS, `${size} bytes`, numbers.byteLength);
  let at = 0;
  const take = (count: number) =>
    Float32Array.from({ length: count }, () => numbers.getFloat32(4 * at++, true));
  const kept = new Map<Weight, Float32Array[]>();
  for (const weight of weights) {
    weight.assign(new Tensor(take(weight.size), weight.shape), operation);
    kept.set(
      weight,
      Array.from({ length: each - 1 }, () => take(weight.size)),
    );
  }
  for (const kept of states) kept.set(take(kept.length));
  if (state.hasSlots) executor.restoreSlots(compiled, { kept, iterations: state.iterations });
  optimizer.iterations = state.iterations;
  if (state.learningRate !== undefined && !optimizer.schedule) optimizer.learningRate = state.learningRate;
  return state.position;
}

async function unpacked(operation: string, bytes: Uint8Array): Promise<{ state: State; numbers: DataView }> {
  try {
    const entries = await readZip(operation, bytes, () => true);
    const numbers = entries.get(NUMBERS);
    const state = JSON.parse(new TextDecoder().decode(entries.get(STATE))) as State;
    if (state.version !== VERSION || !numbers) throw new Error(`version ${show(state.version)}`);
    return { state, numbers: new DataView(numbers.buffer, numbers.byteOffset, numbers.byteLength) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnreelError({
      operation,
      expected: "a whole backup",
      got:
        bytes.length === 0
          ? "an empty file"
          : `${bytes.length} bytes: ${error instanceof UnreelError ? `${error.got} in the place of ${error.expected}` : why}`,
      hint: "It was damaged or cut off: put a copy in its place, or delete it to begin anew.",
    });
  }
}
