// The LSTM cell: weights kernel [I, 4U], recurrent kernel [U, 4U], bias [4U]; gates i, f, c, o; states h, c.
import { lstmSequence } from "../../ops/index.js";
import type { Initializer } from "../initializers.js";
import { drawn } from "../weight.js";
import { bias, type Cell, kernels } from "./cell.js";

/** The bias initializer, with ones for the forget gate (Jozefowicz et al. 2015). */
function forgetBias(initializer: Initializer, units: number): Initializer {
  return {
    ...initializer,
    draw([size]) {
      const values = new Float32Array(size).fill(1, units, 2 * units);
      // In parts, as Keras: an initializer may look at the shape.
      values.set(drawn("lstm: bias", initializer, [units]), 0);
      values.set(drawn("lstm: bias", initializer, [2 * units]), 2 * units);
      return values;
    },
  };
}

export const lstm: Cell = {
  name: "lstm",
  className: "LSTM",
  states: ["h", "c"],
  gates: 4,

  weights(config, inputs) {
    const { units, unitForgetBias, biasInitializer } = config;
    const initializer = unitForgetBias ? forgetBias(biasInitializer, units) : biasInitializer;
    return [
      ...kernels("lstm_cell", 4, config, inputs),
      ...bias("lstm_cell", [4 * units], config, initializer),
    ];
  },

  split: (_builder, _config, [kernel, recurrent, inputBias]) => ({ kernel, recurrent, inputBias }),

  sequence(builder, name, _config, { recurrent }, { gates, rows, starts, initialState }) {
    return builder.apply(lstmSequence, name, [gates, recurrent, ...initialState, rows, starts], {});
  },

  // i, f, o = r(xW + b + hR);  g = a(xW + b + hR);  c' = f∘c + i∘g;  h' = o∘a(c')
  step(math, { units, activation, recurrentActivation = "sigmoid" }, { recurrent }) {
    return ({ gates, hidden, states: [, cell] }) => {
      const all = math.add(gates, math.gateProducts(hidden, recurrent, undefined, 4));
      const gate = (part: number) => math.activate(recurrentActivation, math.part(all, part, units));
      const candidate = math.activate(activation, math.part(all, 2, units));
      const next = math.add(math.multiply(gate(1), cell), math.multiply(gate(0), candidate));
      return [math.multiply(gate(3), math.activate(activation, next)), next];
    };
  },
};
