// The simple recurrence over all time steps: h_t = tanh(gates_t + h_{t-1}·R).
// Inputs: gates = x·W + b (time-major, overwritten), recurrent kernel R, mask, initial state. Outputs: sequence, last state.
import { type Op, origin } from "./op.js";
import * as recurrence from "./recurrence.js";

export const simpleSequence: Op<object> = {
  name: "simpleSequence",

  outputs([gates, recurrent], _, allocate) {
    return recurrence.stateOutputs(gates!, recurrent!, "hidden", allocate);
  },

  forward(e, { name, inputs: [gates, recurrent, mask, initial], outputs: [sequence] }) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const hidden = recurrence.writeInitial(e, sequence, initial, sizes);
    const room = recurrence.scratch(e, name, 1, sizes);
    e.call("simpleSequence", hidden, gates!, recurrent!, mask ?? 0, sizes.T, sizes.B, sizes.H, room);
  },

  backward(e, { name, inputs: [gates, recurrent, mask, initial], outputs: [sequence, last] }) {
    const sizes = recurrence.sizes(gates!, recurrent!);
    const { T, B, H } = sizes;
    const hidden = origin(sequence.pointer);
    const dhidden = recurrence.carry(e, last, sizes);
    const room = recurrence.scratch(e, name, 1, sizes);
    const doutputs = e.gradientOf(sequence) ?? 0;
    e.call("simpleSequenceBackward", gates!, dhidden, doutputs, hidden, recurrent!, mask ?? 0, T, B, H, room);
    e.adopt(gates!, gates!.pointer);
    if (e.wants(recurrent)) {
      const target = { ...e.accumulator(recurrent), ld: H };
      recurrence.recurrentGradient(e, target, 0, H, hidden, { pointer: gates!.pointer, ld: H }, sizes);
    }
    recurrence.handBack(e, initial, dhidden, sizes);
  },
};
