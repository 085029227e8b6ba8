// The simple cell: weights kernel [I, U], recurrent kernel [U, U], bias [U].
import { simpleSequence } from "../../ops/index.js";
import { bias, type Cell, kernels } from "./cell.js";

export const simple: Cell = {
  name: "simpleRNN",
  className: "SimpleRNN",
  states: ["h"],
  gates: 1,

  weights(config, inputs) {
    const name = "simple_rnn_cell";
    return [...kernels(name, 1, config, inputs), ...bias(name, [config.units], config)];
  },

  split: (_builder, _config, [kernel, recurrent, inputBias]) => ({ kernel, recurrent, inputBias }),

  sequence(builder, name, _config, { recurrent }, { gates, rows, starts, initialState }) {
    return builder.apply(simpleSequence, name, [gates, recurrent, ...initialState, rows, starts], {});
  },

  // h' = activation(xW + b + hR)
  step(math, { activation }, { recurrent }) {
    return ({ gates, hidden }) => [
      math.activate(activation, math.add(gates, math.product(hidden[0], recurrent))),
    ];
  },
};
