// Inverted dropout. The mask is a function of (seed, step, stream, position), drawn again on the way back, never stored.
import type { Pointer } from "../program/program.js";
import { type Dim, Size } from "../program/size.js";
import type { Op, Value } from "./op.js";
import { hasSamples, SAMPLES } from "./samples.js";

/** What is drawn for a sample must not depend on its part of the batch, so its place is needed: as the first axis, and no other. */
export function drawsMix([x]: readonly (Value | undefined)[]): boolean {
  return x!.shape.some(hasSamples) && Size.of(x!.shape[0]).toString() !== SAMPLES;
}

/** How numbers are drawn for a value: runs, numbers in each, and numbers of a sample in each (assembly/random.ts). */
export function draws({ shape, timeMajor }: Value): [runs: Size | number, n: Size, width: Size | number] {
  const [runs, ...rest]: Dim[] = timeMajor ? [shape[1], shape[0], ...shape.slice(2)] : [1, ...shape];
  const isBySample = hasSamples(shape[0] ?? 1);
  return [sized(runs), Size.product(rest), isBySample ? sized(Size.product(rest.slice(1))) : 0];
}

const sized = (dim: Dim): Size | number => Size.of(dim).constant ?? Size.of(dim);

export const dropout: Op<{ rate: number; seed: Pointer; stream: number }> = {
  name: "dropout",

  mixesSamples: drawsMix,

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { rate, seed, stream } }) {
    e.call("dropout", out, x!, ...draws(x!), rate, seed, stream);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { rate, seed, stream } }) {
    e.call("dropoutBackward", e.gradient(x!), e.gradientOf(out)!, ...draws(x!), rate, seed, stream);
  },
};
