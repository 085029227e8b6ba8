// Ones of a shape.
import type { Dim } from "../program/size.js";
import { count, type Op } from "./op.js";

export const ones: Op<{ shape: readonly Dim[] }> = {
  name: "ones",

  outputs(_, { shape }) {
    return [{ shape }];
  },

  forward(e, { outputs: [out] }) {
    e.call("fill", out, 1, count(out));
  },
};
