// The LSTM over all time steps (Hochreiter & Schmidhuber 1997, with forget gate), gates i, f, c, o.
// Inputs: gates = x·W + b (time-major, overwritten), recurrent kernel R, initial hidden and cell state, and rows and starts of
// keptRows: with them, gates hold the kept rows only.
// Outputs: sequence, last hidden state, last cell state.
import { type Op, origin } from "./op.js";
import * as recurrence from "./recurrence.js";

export const lstmSequence: Op<object> = {
  name: "lstmSequence",

  flops: recurrence.flops,

  outputs([gates, recurrent], _, allocate) {
    const [sequence, last] = recurrence.stateOutputs(gates!, recurrent!, "hidden", allocate);
    const [, lastCell] = recurrence.stateOutputs(gates!, recurrent!, "cell", allocate);
    return [sequence, last, lastCell];
  },

  forward(
    e,
    { name, inputs: [gates, recurrent, initial, initialCell, rows, starts], outputs: [sequence, , lastCell] },
  ) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const hidden = recurrence.writeInitial(e, sequence, initial, sizes);
    const cell = recurrence.writeInitial(e, lastCell, initialCell, sizes);
    const room = recurrence.scratch(e, name, sizes);
    e.call(
      "lstmSequence",
      hidden,
      cell,
      gates!,
      e.packed(recurrent!, [4 * sizes.H]),
      rows ?? 0,
      starts ?? 0,
      sizes.T,
      sizes.B,
      sizes.H,
      room,
    );
  },

  backward(
    e,
    {
      name,
      inputs: [gates, recurrent, initial, initialCell, rows, starts],
      outputs: [sequence, last, lastCell],
    },
  ) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = origin(sequence.pointer);
    const cell = origin(lastCell.pointer);
    const dhidden = recurrence.carry(e, last, sizes);
    const dcell = recurrence.carry(e, lastCell, sizes);
    const room = recurrence.scratch(e, name, sizes);
    const doutputs = e.gradientOf(sequence) ?? 0;
    e.call(
      "lstmSequenceBackward",
      gates!,
      dhidden,
      dcell,
      doutputs,
      cell,
      e.packed(recurrent!, [4 * H], true),
      rows ?? 0,
      starts ?? 0,
      T,
      B,
      H,
      room,
    );
    e.adopt(gates!, gates!.pointer);
    if (e.wants(recurrent)) {
      const target = { ...e.accumulator(recurrent), ld: 4 * H };
      const kept = recurrence.keptBy(rows, starts);
      const before = recurrence.statesBefore(e, hidden, sizes, kept);
      const right = { pointer: gates!.pointer, ld: 4 * H };
      recurrence.recurrentGradient(e, target, 0, 4 * H, before, right, sizes, kept);
    }
    recurrence.handBack(e, initial, dhidden, sizes);
    recurrence.handBack(e, initialCell, dcell, sizes);
  },
};
