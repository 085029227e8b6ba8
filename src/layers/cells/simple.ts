// The simple cell: weights kernel [I, U], recurrent kernel [U, U], bias [U].
import { simpleSequence } from "../../ops/index.js";
import { type Cell, kernels } from "./cell.js";

export const simple: Cell = {
  name: "simpleRNN",
  className: "SimpleRNN",
  states: ["h"],
  gates: 1,

  weights(config, inputs) {
    const specs = kernels("simple_rnn_cell", 1, config, inputs);
    const bias = { name: "simple_rnn_cell/bias", shape: [config.units], initializer: config.biasInitializer };
    return config.useBias ? [...specs, bias] : specs;
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
