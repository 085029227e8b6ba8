// What every recurrent layer does around its loop: time turned round, states that start it and are kept, dropout that is the
// same at every step, outputs of masked steps; and what every one checks and says of shapes.
import { show, UnreelError } from "../errors.js";
import { arithmetic, dropout, everKept, keep, ones, repeat, reverse, selectRows } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { type Dim, Size } from "../program/size.js";
import type { Flow, LoweringContext } from "./kind.js";
import type { Shape, SymbolicTensor } from "./symbolic.js";

/** Time-major, and from the end if asked. */
export function turn({ builder, name }: LoweringContext, backwards: boolean, value: Value): Value {
  const inTime = builder.timeMajor(value);
  return backwards ? builder.apply(reverse, `${name}.reverse`, [inTime], {})[0] : inTime;
}

/** The mask that the loop obeys, in the order in which it reads. */
export function obeyedMask(context: LoweringContext, backwards: boolean, { mask }: Flow): Value | undefined {
  return mask && !context.ignoresMask ? turn(context, backwards, mask) : undefined;
}

export interface StartingStates {
  /** Given, or kept from the last run; undefined for zeros. */
  readonly initial: readonly (Value | undefined)[];
  /** Where the last states are kept for the next run. */
  readonly kept: readonly Value[];
}

export function startingStates(
  context: LoweringContext,
  stateful: boolean,
  shapes: readonly (readonly Dim[])[],
): StartingStates {
  const { initialState, streaming } = context;
  const kept = stateful || streaming ? shapes.map((shape, k) => context.keptState(`state${k}`, shape)) : [];
  return { initial: shapes.map((_, k) => initialState[k] ?? kept[k]), kept };
}

export function keepStates(
  { builder, name }: LoweringContext,
  { kept }: StartingStates,
  states: readonly Value[],
): void {
  kept.forEach((place, k) => {
    builder.apply(keep, `${name}.keep`, [states[k], place], {});
  });
}

/** Where random numbers come from: a layer's `own` seed chooses the stream, the model's seed block holds the training's seed and
 * the step. */
export function randomStream({ seed, nextStream }: LoweringContext, own: number) {
  return { seed, stream: (own + Math.imul(nextStream(), 0x9e3779b9)) | 0 };
}

/** A mask of dropout of one step: the same numbers at every step. */
export function dropVector(
  context: LoweringContext,
  shape: readonly Dim[],
  rate: number,
  own: number,
): Value {
  const { builder, name } = context;
  const [all] = builder.apply(ones, `${name}.ones`, [], { shape });
  return builder.apply(dropout, `${name}.dropout`, [all], { rate, ...randomStream(context, own) })[0];
}

/** The masks of dropout of a built-in cell, or none: one for all gates, or, as in Keras, one for each where the state is dropped
 * too. */
export function gateMasks(
  context: LoweringContext,
  rate: number,
  { recurrentDropout, seed }: { recurrentDropout: number; seed: number },
  gates: number,
  shape: readonly Dim[],
): Value[] {
  if (!context.training || rate === 0) return [];
  const masks = recurrentDropout > 0 ? gates : 1;
  return Array.from({ length: masks }, () => dropVector(context, shape, rate, seed));
}

/** Drops the same inputs at every step of a time-major sequence. */
export function dropOverTime(context: LoweringContext, x: Value, rate: number, own: number): Value {
  const [batch, , ...rest] = x.shape;
  return underMask(context, x, dropVector(context, [batch, ...rest], rate, own));
}

/** A time-major sequence times one mask at every step. */
export function underMask({ builder, name }: LoweringContext, x: Value, mask: Value): Value {
  const [, time] = x.shape;
  const [everywhere] = builder.apply(repeat, `${name}.dropout`, [mask], { times: time });
  return builder.apply(arithmetic, `${name}.dropped`, [x, everywhere], { kernel: "multiply" })[0];
}

/** Outputs under a mask: the loop has repeated the previous one. Before the first step that is kept there is none: zeros,
 * which only shows when the loop did not start from zeros. */
export function withMaskedOutputs(
  { builder, name }: LoweringContext,
  sequence: Value,
  mask: Value | undefined,
  zeroOutput: boolean,
  started: boolean,
): Value {
  if (!mask || (!zeroOutput && !started)) return sequence;
  const rows = zeroOutput ? mask : builder.apply(everKept, `${name}.everKept`, [mask], {})[0];
  return builder.apply(selectRows, `${name}.masked`, [rows, sequence], {})[0];
}

/** The output of the last step of a time-major sequence. */
export function lastStep({ builder }: LoweringContext, sequence: Value): Value {
  const [batch, time, ...rest] = sequence.shape;
  const bytes = Size.product([batch, ...rest]).times(4);
  const last = builder.view(sequence, [batch, ...rest], Size.of(time).plus(-1).times(bytes));
  return { ...last, timeMajor: false };
}

/** Shapes of a recurrent layer's outputs: the output, then the states. */
export function recurrentOutputs(
  { returnSequences, returnState }: { returnSequences: boolean; returnState: boolean },
  batch: number | null,
  time: number | null,
  states: readonly number[],
  outputSize = states[0],
): Shape[] {
  const output = returnSequences ? [batch, time, outputSize] : [batch, outputSize];
  return [output, ...(returnState ? states.map((size) => [batch, size]) : [])];
}

export function checkStates(
  layer: string,
  names: readonly string[],
  sizes: readonly number[],
  [batch]: Shape,
  states: readonly SymbolicTensor[],
): void {
  const operation = `${layer}: initialState`;
  if (states.length !== sizes.length) {
    throw new UnreelError({
      operation,
      expected: `${sizes.length} (${names.join(", ")})`,
      got: `${states.length}`,
    });
  }
  states.forEach(({ shape }, index) => {
    if (shape.length === 2 && shape[1] === sizes[index]) return;
    const expected = `state ${names[index]} of shape ${show([batch, sizes[index]])}`;
    throw new UnreelError({ operation, expected, got: show(shape) });
  });
}

export function checkBatch(layer: string, shape: Shape): void {
  if (shape[0] !== null) return;
  const hint = "Begin with input({ shape, batchSize }).";
  throw new UnreelError({
    operation: `${layer}: stateful`,
    expected: "a fixed batch size",
    got: "any",
    hint,
  });
}
