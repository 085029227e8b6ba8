// The rows of a sequence that a mask keeps: so that padding is neither multiplied nor stepped over.
// Input: mask int32 [B, T], time-major. Outputs: rows [T·B], the numbers t·B + b of the kept rows in this order, and starts [T+1],
// where each step's begin; the last of starts is how many there are.

import type { Pointer } from "../program/program.js";
import { Size } from "../program/size.js";
import { count, type Op, shifted, type Value } from "./op.js";

export const keptRows: Op<object> = {
  name: "keptRows",

  // Rows and starts are those of a part.
  mixesSamples: () => false,

  outputs([mask]) {
    const steps = Size.of(mask!.shape[1]).plus(1);
    return [
      { shape: [count(mask!)], dtype: "int32" },
      { shape: [steps.constant ?? steps], dtype: "int32" },
    ];
  },

  forward(e, { inputs: [mask], outputs: [rows, starts] }) {
    const [batch, time] = mask!.shape;
    e.call("keptRows", rows, starts, mask!, Size.of(time), Size.of(batch));
  },
};

/** Where the number of kept rows lies. */
export function numberKept(starts: Value): Pointer {
  return shifted(starts.pointer, count(starts).plus(-1).times(4));
}
