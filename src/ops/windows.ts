// Where the windows of a convolution lie in memory, as the kernels of conv1d.ts and depthwise.ts count them.
import { type Dim, Size } from "../program/size.js";
import type { Value } from "./op.js";

/** How far the window moves from step to step, and how far apart its taps are. */
export interface Moves {
  readonly stride: number;
  readonly dilation: number;
}

/** Blocks of windows, windows in each; from block to block, from window to window and from tap to tap in x [B, T, C]. */
export function windowsIn({ shape: [B, T, C], timeMajor }: Value, steps: Dim, { stride, dilation }: Moves) {
  const all = timeMajor
    ? [steps, B, Size.product([B, C]).times(stride), C, Size.product([B, C]).times(dilation)]
    : [B, steps, Size.product([T, C]), Size.of(C).times(stride), Size.of(C).times(dilation)];
  return all.map(Size.of);
}
