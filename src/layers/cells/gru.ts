// The GRU cell: weights kernel [I, 3U], recurrent kernel [U, 3U], bias [2, 3U], or [3U] when the reset gate comes before the
// product; gates z, r, h.
import { gruSequence } from "../../ops/index.js";
import { type Cell, kernels, requireFused } from "./cell.js";

export const gru: Cell = {
  name: "gru",
  className: "GRU",
  states: ["h"],

  check: (config) => requireFused("gru", config),

  weights(config, inputs) {
    const { units, useBias, resetAfter, biasInitializer: initializer } = config;
    const specs = kernels("gru_cell", 3, config, inputs);
    const shape = resetAfter ? [2, 3 * units] : [3 * units];
    return useBias ? [...specs, { name: "gru_cell/bias", shape, initializer }] : specs;
  },

  split(builder, { units, resetAfter }, [kernel, recurrent, bias]) {
    if (!bias || !resetAfter) return { kernel, recurrent, inputBias: bias };
    const row = (index: number) => builder.view(bias, [3 * units], index * 3 * units * 4);
    return { kernel, recurrent, inputBias: row(0), recurrentBias: row(1) };
  },

  sequence(builder, name, { resetAfter = true }, { gates, recurrent, recurrentBias, mask, initialState }) {
    const inputs = [gates, recurrent, mask, initialState[0], recurrentBias];
    return builder.apply(gruSequence, name, inputs, { resetAfter });
  },
};
