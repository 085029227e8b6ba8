// Two neighbouring blocks of axes exchanged: [..., start to middle, middle to end, ...]. Any permutation is a few of these.
// Batch-major values only.
import { Size } from "../program/size.js";
import type { Op, Value } from "./op.js";

interface Places {
  start: number;
  middle: number;
  end: number;
}

function sizes({ shape }: Value, { start, middle, end }: Places) {
  const between = (from: number, to?: number) => Size.product(shape.slice(from, to));
  return [between(0, start), between(start, middle), between(middle, end), between(end)] as const;
}

export const swapBlocks: Op<Places> = {
  name: "swapBlocks",

  outputs([x], { start, middle, end }) {
    const part = (from: number, to?: number) => x!.shape.slice(from, to);
    const shape = [...part(0, start), ...part(middle, end), ...part(start, middle), ...part(end)];
    return [{ shape, dtype: x!.dtype }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes }) {
    e.call("swapBlocks", out, x!, ...sizes(x!, attributes), 0);
  },

  backward(e, { inputs: [x], outputs: [out], attributes }) {
    const [outer, a, b, inner] = sizes(x!, attributes);
    const { pointer, accumulate } = e.accumulator(x!);
    e.call("swapBlocks", pointer, e.gradientOf(out)!, outer, b, a, inner, accumulate);
  },
};
