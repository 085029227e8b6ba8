// The GRU over all time steps (Cho et al. 2014), gates z, r, h; the reset gate after the product (Keras' default) or before.
// Inputs: gates = x·W + b (time-major, overwritten), recurrent kernel R, mask, initial state, recurrent bias (reset after).
// Outputs: sequence, last state. `inner` keeps what the candidate's gate multiplies: h·R_h + b_h, or r∘h.
import { Size } from "../program/size.js";
import { type Op, origin, shifted } from "./op.js";
import * as recurrence from "./recurrence.js";

export const gruSequence: Op<{ resetAfter: boolean }> = {
  name: "gruSequence",

  outputs([gates, recurrent], _, allocate) {
    return recurrence.stateOutputs(gates!, recurrent!, "hidden", allocate);
  },

  forward(
    e,
    { name, inputs: [gates, recurrent, mask, initial, bias], outputs: [sequence], attributes, saved },
  ) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = recurrence.writeInitial(e, sequence, initial, sizes);
    saved.inner = e.allocate(`${name}.inner`, T.times(B).times(H * 4));
    const room = recurrence.scratch(e, name, 3, sizes);
    const after = attributes.resetAfter ? 1 : 0;
    e.call(
      "gruSequence",
      hidden,
      gates!,
      saved.inner,
      recurrent!,
      bias ?? 0,
      mask ?? 0,
      T,
      B,
      H,
      after,
      room,
    );
  },

  backward(
    e,
    { name, inputs: [gates, recurrent, mask, initial, bias], outputs: [sequence, last], attributes, saved },
  ) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = origin(sequence.pointer);
    const inner = saved.inner;
    const dhidden = recurrence.carry(e, last, sizes);
    const room = recurrence.scratch(e, name, 3, sizes);
    const doutputs = e.gradientOf(sequence) ?? 0;
    const after = attributes.resetAfter ? 1 : 0;
    e.call(
      "gruSequenceBackward",
      gates!,
      inner,
      dhidden,
      doutputs,
      hidden,
      recurrent!,
      mask ?? 0,
      T,
      B,
      H,
      after,
      room,
    );
    e.adopt(gates!, gates!.pointer);
    const candidate = { pointer: shifted(gates!.pointer, 2 * H * 4), ld: 3 * H };
    if (e.wants(recurrent)) {
      const target = { ...e.accumulator(recurrent), ld: 3 * H };
      recurrence.recurrentGradient(
        e,
        target,
        0,
        2 * H,
        hidden,
        { pointer: gates!.pointer, ld: 3 * H },
        sizes,
      );
      if (after) recurrence.recurrentGradient(e, target, 2 * H, H, hidden, { pointer: inner, ld: H }, sizes);
      else recurrence.recurrentGradient(e, target, 2 * H, H, inner, candidate, sizes);
    }
    if (e.wants(bias)) {
      const dbias = e.gradient(bias);
      const sums = e.temporary(`${name}.gateSums`, Size.of(3 * H * 4));
      e.call("fill", sums, 0, 3 * H);
      e.call("sumColumns", sums, gates!, T.times(B), 3 * H);
      e.call("accumulate", dbias, sums, 2 * H);
      e.call("sumColumns", shifted(dbias, 2 * H * 4), inner, T.times(B), H);
    }
    recurrence.handBack(e, initial, dhidden, sizes);
  },
};
