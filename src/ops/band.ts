// The mask of places near the diagonal: int32 [T, S], 1 where s - t is at most `after` and t - s at most `before`. after 0 is causal.
import { type Dim, Size } from "../program/size.js";
import type { Op } from "./op.js";

/** Farther than any sequence is long. */
export const FARTHEST = 2 ** 30;

export const band: Op<{ shape: readonly [Dim, Dim]; before: number; after: number }> = {
  name: "band",

  outputs(_, { shape }) {
    return [{ shape, dtype: "int32" }];
  },

  forward(e, { outputs: [out], attributes: { shape, before, after } }) {
    const [T, S] = shape.map((d) => Size.of(d));
    e.call("band", out, T, S, before, after);
  },
};
