// What the built-in recurrences share: the block of states with the initial one in front, and the way states' gradients go.
// T time, B batch, H units. hidden [T+1, B, H]: block 0 is the initial state, block t+1 the state after step t.
import type { Pointer } from "../program/program.js";
import { Size } from "../program/size.js";
import { GEMM_PACKED_SCRATCH_BYTES } from "./gemm.js";
import { numberKept } from "./keptRows.js";
import {
  type Allocate,
  count,
  type Emitter,
  type Node,
  type OutputSpec,
  origin,
  shifted,
  type Value,
} from "./op.js";

export interface Sizes {
  T: Size;
  B: Size;
  H: number;
}

/** Sizes of a recurrence from its projected input [B, T, G·H] and its recurrent kernel [H, G·H]. */
export function sizes(gates: Value, recurrent: Value): Sizes {
  return { B: Size.of(gates.shape[0]), T: Size.of(gates.shape[1]), H: recurrent.shape[0] as number };
}

/** At each step, the state times the recurrent kernel, and the functions of each gate. */
export function flops({ inputs: [gates, recurrent] }: Pick<Node, "inputs">): Size {
  return count(gates!).times(2 * sizes(gates!, recurrent!).H + 20);
}

/** Room for five states (assembly/sequence.ts). */
export function scratch(e: Emitter, name: string, { B, H }: Sizes): Pointer {
  return e.temporary(`${name}.scratch`, B.times(5 * H * 4).plus(5 * 16 + GEMM_PACKED_SCRATCH_BYTES));
}

/** Memory for a state at all steps, and its outputs: the whole sequence and the last state, views of that memory. */
export function stateOutputs(
  gates: Value,
  recurrent: Value,
  name: string,
  allocate: Allocate,
): [OutputSpec, OutputSpec] {
  const { T, B, H } = sizes(gates, recurrent);
  const step = B.times(H * 4);
  const states = allocate(name, T.plus(1).times(step));
  const [batch, time] = gates.shape;
  return [
    { shape: [batch, time, H], timeMajor: true, pointer: shifted(states, step) },
    { shape: [batch, H], pointer: shifted(states, T.times(step)) },
  ];
}

/** Writes the initial state in front of a sequence of states: zeros unless one is given. */
export function writeInitial(
  e: Emitter,
  sequence: Value,
  initial: Value | undefined,
  { B, H }: Sizes,
): Pointer {
  const start = origin(sequence.pointer);
  if (initial) e.call("copy", start, initial, B.times(H));
  else e.call("fill", start, 0, B.times(H));
  return start;
}

/** The gradient that reaches the last state: where the way back starts, overwritten from step to step. */
export function carry(e: Emitter, last: Value, { B, H }: Sizes): Pointer {
  const reached = e.gradientOf(last);
  if (reached) return reached;
  const zeros = e.temporary(`d${last.name}.carry`, B.times(H * 4));
  e.call("fill", zeros, 0, B.times(H));
  return zeros;
}

/** Hands what is left of the carry, after the first step, to the initial state. */
export function handBack(e: Emitter, initial: Value | undefined, left: Pointer, { B, H }: Sizes): void {
  if (e.wants(initial)) e.call("accumulate", e.gradient(initial), left, B.times(H));
}

/** The rows that a mask keeps, if there is one: their numbers and where each step's begin (ops/keptRows.ts). */
export interface Kept {
  readonly rows: Value;
  readonly starts: Value;
}

export function keptBy(rows: Value | undefined, starts: Value | undefined): Kept | undefined {
  return rows && starts ? { rows, starts } : undefined;
}

/** dR[:, from : from + width] += leftᵀ · right over all rows that count: left [T·B, H] or the kept rows, right likewise with row
 * stride ld. */
export function recurrentGradient(
  e: Emitter,
  target: { pointer: Pointer; accumulate: 0 | 1; ld: number },
  from: number,
  width: number,
  left: Pointer,
  right: { pointer: Pointer; ld: number },
  { T, B, H }: Sizes,
  kept: Kept | undefined,
): void {
  const place = shifted(target.pointer, from * 4);
  const operands = [place, target.ld, left, H, right.pointer, right.ld, 0, H, width];
  const rest = [target.accumulate, e.gemmScratch()];
  if (kept) e.call("gemmTNKept", ...operands, numberKept(kept.starts), ...rest);
  else e.call("gemmTN", ...operands, T.times(B), ...rest);
}

/** The states before each step, as far as they count: all of them, or copies of those of the kept rows. */
export function statesBefore(
  e: Emitter,
  hidden: Pointer,
  { T, B, H }: Sizes,
  kept: Kept | undefined,
): Pointer {
  if (!kept) return hidden;
  const states = e.temporary("statesBefore", T.times(B).times(H * 4));
  e.call("gatherRows", states, hidden, kept.rows, numberKept(kept.starts), H);
  return states;
}
