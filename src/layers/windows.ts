// Windows that move along time, as convolutions and pooling take them: their options, how many fit, the zeros around them.
// keras/src/ops/operation_utils.py (shapes), keras/src/backend/common/backend_utils.py (transposed convolution)
import { show, suggestion, UnreelError } from "../errors.js";
import { type Dim, Size } from "../program/size.js";
import type { LoweringContext } from "./kind.js";
import { camelCase } from "./options.js";
import { type Shape, showShape } from "./symbolic.js";
import { dim } from "./values.js";

export type Padding = "valid" | "same" | "causal";

/** An option for one axis: a number, or a list of one number, as Keras takes it. */
export type Single = number | readonly [number];

export interface Window {
  /** Steps from its first to its last. */
  readonly size: number;
  readonly stride: number;
  readonly padding: Padding;
}

/** A whole number, `least` or more, alone or in a list. */
export function single(operation: string, given: unknown, least = 1): number {
  const value = Array.isArray(given) && given.length === 1 ? given[0] : given;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  throw new UnreelError({
    operation,
    expected:
      least === 1 ? "a positive integer, or a list of one" : "an integer, 0 or more, or a list of one",
    got: given === undefined ? "none" : show(given),
  });
}

/** 'valid', 'same' and, where it is known, 'causal', in any case. */
export function readPadding<P extends Padding>(operation: string, given: unknown, known: readonly P[]): P {
  const found = known.find((padding) => typeof given === "string" && given.toLowerCase() === padding);
  if (found) return found;
  const expected = known.map((padding) => `'${padding}'`).join(" or ");
  const hint =
    given === "causal"
      ? "Only conv1D pads causally; zeroPadding1D({ padding: [n, 0] }) before a 'valid' layer does the same."
      : suggestion(given, known);
  throw new UnreelError({ operation, expected, got: show(given), hint });
}

/** Refuses any order of axes but (batch, steps, channels). */
export function requireChannelsLast(operation: string, given: unknown): void {
  if (given === null || (typeof given === "string" && camelCase(given) === "channelsLast")) return;
  throw new UnreelError({
    operation: `${operation}: dataFormat`,
    expected: "'channelsLast': input of shape (batch, steps, channels)",
    got: show(given),
    hint: "permute({ dims: [2, 1] }) before and behind the layer turns (batch, channels, steps).",
  });
}

/** Stride and distance of taps, of which one must be 1 (keras base_conv.py). */
export function readMoves(operation: string, strides: unknown, dilationRate: unknown) {
  const stride = single(`${operation}: strides`, strides);
  const dilation = single(`${operation}: dilationRate`, dilationRate);
  if (stride === 1 || dilation === 1) return { stride, dilation };
  throw new UnreelError({
    operation,
    expected: "strides 1 or dilationRate 1",
    got: `strides ${stride} and dilationRate ${dilation}`,
  });
}

const minus = (a: Size, b: Size) => a.plus(b.times(-1));

/** How many windows there are, and the steps that a length lacks before and behind them. */
export function windowsOf(length: Dim, { size, stride, padding }: Window) {
  const T = Size.of(length);
  if (padding === "valid") return { steps: dim(T.plus(stride - size).quotient(stride)), before: 0, after: 0 };
  const steps = T.plus(stride - 1).quotient(stride);
  if (padding === "causal") return { steps: dim(steps), before: size - 1, after: 0 };
  // The last window begins (steps - 1)·stride behind the first one; of an odd number of zeros the larger part stands behind.
  const missing = minus(steps.plus(-1).times(stride).plus(size), T).quotient(1);
  const before = missing.quotient(2);
  return { steps: dim(steps), before: dim(before), after: dim(minus(missing, before)) };
}

/** The same for shapes: how many windows, or null for any number. */
export function windowCount(operation: string, shape: Shape, window: Window): number | null {
  const [, length] = shape;
  if (length === null) return null;
  requireLength(operation, shape, leastLength(window), shortHint(window));
  return windowsOf(length, window).steps as number;
}

/** The shortest sequence that has a window. */
function leastLength({ size, padding }: Window): number {
  return padding === "valid" ? size : 1;
}

const shortHint = ({ size }: Window) =>
  `The window spans ${size} steps: take a longer input, a smaller window, or padding: 'same'.`;

/** Has the host refuse shorter sequences, where the length is known at run time only. */
export function requireWindow(context: LoweringContext, length: Dim, window: Window): void {
  requireLeastIn(context, length, leastLength(window), shortHint(window));
}

export function requireLeastIn(
  { name, requireLeast }: LoweringContext,
  length: Dim,
  least: number,
  hint: string,
) {
  if (Size.of(length).constant === undefined && least > 1) requireLeast({ what: name, length, least, hint });
}

/** Refuses a sequence that is known to be too short. */
export function requireLength(operation: string, shape: Shape, least: number, hint: string): void {
  const [, length] = shape;
  if (length === null || length >= least) return;
  const expected = `${least} ${least === 1 ? "step" : "steps"} or more`;
  throw new UnreelError({ operation, expected, got: `input of shape ${showShape(shape)}`, hint });
}

/** A convolution the other way round: all steps that it reaches (and zeros behind), and what of them is the output. */
export function transposedWindows(
  length: Dim,
  { size, stride, padding }: Window,
  outputPadding: number | null,
): { full: Dim; from: number; steps: Dim } {
  const reached = Size.of(length).plus(-1).times(stride).plus(size);
  if (padding === "valid") {
    const full = dim(reached.plus(outputPadding ?? Math.max(stride - size, 0)));
    return { full, from: 0, steps: full };
  }
  // Zeros around the input, were it spread out by the stride for a convolution; each side has size - 1 if nothing is cropped.
  const zeros = outputPadding === null ? stride + size - 2 : size + (size % 2) - 2 + outputPadding;
  const before = Math.min(Math.ceil(zeros / 2), size - 1);
  const [cropBefore, cropAfter] = [size - 1 - before, size - 1 - (zeros - before)];
  return {
    full: dim(reached.plus(Math.max(-cropAfter, 0))),
    from: cropBefore,
    steps: dim(reached.plus(-cropBefore - cropAfter)),
  };
}
