// The GRU over all time steps (Cho et al. 2014), gates z, r, h; the reset gate after the product (Keras' default) or before.
// Inputs: gates = x·W + b (time-major, overwritten), recurrent kernel R, initial state, recurrent bias (reset after), and rows and
// starts of keptRows: with them, gates hold the kept rows only.
// Outputs: sequence, last state. `inner` keeps what the candidate's gate multiplies: h·R_h + b_h, or r∘h.
import type { Pointer } from "../program/program.js";
import { Size } from "../program/size.js";
import { numberKept } from "./keptRows.js";
import { type Op, origin, shifted } from "./op.js";
import * as recurrence from "./recurrence.js";

export const gruSequence: Op<{ resetAfter: boolean }> = {
  name: "gruSequence",

  flops: recurrence.flops,

  outputs([gates, recurrent], _, allocate) {
    return recurrence.stateOutputs(gates!, recurrent!, "hidden", allocate);
  },

  forward(
    e,
    { name, inputs: [gates, recurrent, initial, bias, rows, starts], outputs: [sequence], attributes, saved },
  ) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = recurrence.writeInitial(e, sequence, initial, sizes);
    saved.inner = e.allocate(`${name}.inner`, T.times(B).times(H * 4));
    const room = recurrence.scratch(e, name, sizes);
    const after = attributes.resetAfter ? 1 : 0;
    e.call(
      "gruSequence",
      hidden,
      gates!,
      saved.inner,
      e.packed(recurrent!, [2 * H, H]),
      bias ?? 0,
      rows ?? 0,
      starts ?? 0,
      T,
      B,
      H,
      after,
      room,
    );
  },

  backward(
    e,
    {
      name,
      inputs: [gates, recurrent, initial, bias, rows, starts],
      outputs: [sequence, last],
      attributes,
      saved,
    },
  ) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = origin(sequence.pointer);
    const inner = saved.inner;
    const dhidden = recurrence.carry(e, last, sizes);
    const room = recurrence.scratch(e, name, sizes);
    const doutputs = e.gradientOf(sequence) ?? 0;
    const after = attributes.resetAfter ? 1 : 0;
    e.call(
      "gruSequenceBackward",
      gates!,
      inner,
      dhidden,
      doutputs,
      hidden,
      e.packed(recurrent!, [2 * H, H], true),
      rows ?? 0,
      starts ?? 0,
      T,
      B,
      H,
      after,
      room,
    );
    e.adopt(gates!, gates!.pointer);
    const candidate = { pointer: shifted(gates!.pointer, 2 * H * 4), ld: 3 * H };
    const kept = recurrence.keptBy(rows, starts);
    if (e.wants(recurrent)) {
      const target = { ...e.accumulator(recurrent), ld: 3 * H };
      const before = recurrence.statesBefore(e, hidden, sizes, kept);
      const both = { pointer: gates!.pointer, ld: 3 * H };
      recurrence.recurrentGradient(e, target, 0, 2 * H, before, both, sizes, kept);
      const [left, right] = after ? [before, { pointer: inner, ld: H }] : [inner, candidate];
      recurrence.recurrentGradient(e, target, 2 * H, H, left, right, sizes, kept);
    }
    if (e.wants(bias)) {
      const dbias = e.gradient(bias);
      const sums = e.temporary(`${name}.gateSums`, Size.of(3 * H * 4));
      const sum = (out: Pointer, x: Pointer, width: number) =>
        kept
          ? e.call("sumColumnsKept", out, x, numberKept(kept.starts), width)
          : e.call("sumColumns", out, x, T.times(B), width);
      e.call("fill", sums, 0, 3 * H);
      sum(sums, gates!.pointer, 3 * H);
      e.call("accumulate", dbias, sums, 2 * H);
      sum(shifted(dbias, 2 * H * 4), inner, H);
    }
    recurrence.handBack(e, initial, dhidden, sizes);
  },
};
