// The LSTM cell: weights kernel [I, 4U], recurrent kernel [U, 4U], bias [4U]; gates i, f, c, o; states h, c.
import { lstmSequence } from "../../ops/index.js";
import type { Initializer } from "../initializers.js";
import { type Cell, kernels, requireFused } from "./cell.js";

/** The bias initializer, with ones for the forget gate (Jozefowicz et al. 2015). */
function forgetBias(initializer: Initializer, units: number): Initializer {
  return {
    ...initializer,
    draw(shape) {
      const values = initializer.draw(shape);
      values.fill(1, units, 2 * units);
      return values;
    },
  };
}

export const lstm: Cell = {
  name: "lstm",
  className: "LSTM",
  states: ["h", "c"],

  check: (config) => requireFused("lstm", config),

  weights(config, inputs) {
    const { units, useBias, unitForgetBias, biasInitializer } = config;
    const specs = kernels("lstm_cell", 4, config, inputs);
    const initializer = unitForgetBias ? forgetBias(biasInitializer, units) : biasInitializer;
    return useBias ? [...specs, { name: "lstm_cell/bias", shape: [4 * units], initializer }] : specs;
  },

  split: (_builder, _config, [kernel, recurrent, inputBias]) => ({ kernel, recurrent, inputBias }),

  sequence(builder, name, _config, { gates, recurrent, mask, initialState }) {
    return builder.apply(lstmSequence, name, [gates, recurrent, mask, ...initialState], {});
  },
};
