// The simple recurrence over all time steps: h_t = tanh(gates_t + h_{t-1}·R).
// Inputs: gates = x·W + b (time-major, overwritten), recurrent kernel R, initial state, and rows and starts of keptRows:
// with them, gates hold the kept rows only. Outputs: sequence, last state.
import { type Op, origin } from "./op.js";
import * as recurrence from "./recurrence.js";

export const simpleSequence: Op<object> = {
  name: "simpleSequence",

  flops: recurrence.flops,

  outputs([gates, recurrent], _, allocate) {
    return recurrence.stateOutputs(gates!, recurrent!, "hidden", allocate);
  },

  forward(e, { name, inputs: [gates, recurrent, initial, rows, starts], outputs: [sequence] }) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const hidden = recurrence.writeInitial(e, sequence, initial, sizes);
    const room = recurrence.scratch(e, name, sizes);
    e.call(
      "simpleSequence",
      hidden,
      gates!,
      e.packed(recurrent!, [sizes.H]),
      rows ?? 0,
      starts ?? 0,
      sizes.T,
      sizes.B,
      sizes.H,
      room,
    );
  },

  backward(e, { name, inputs: [gates, recurrent, initial, rows, starts], outputs: [sequence, last] }) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = origin(sequence.pointer);
    const dhidden = recurrence.carry(e, last, sizes);
    const room = recurrence.scratch(e, name, sizes);
    const doutputs = e.gradientOf(sequence) ?? 0;
    e.call(
      "simpleSequenceBackward",
      gates!,
      dhidden,
      doutputs,
      hidden,
      e.packed(recurrent!, [H], true),
      rows ?? 0,
      starts ?? 0,
      T,
      B,
      H,
      room,
    );
    e.adopt(gates!, gates!.pointer);
    if (e.wants(recurrent)) {
      const target = { ...e.accumulator(recurrent), ld: H };
      const kept = recurrence.keptBy(rows, starts);
      const before = recurrence.statesBefore(e, hidden, sizes, kept);
      recurrence.recurrentGradient(e, target, 0, H, before, { pointer: gates!.pointer, ld: H }, sizes, kept);
    }
    recurrence.handBack(e, initial, dhidden, sizes);
  },
};
