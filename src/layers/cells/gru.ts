// The GRU cell: weights kernel [I, 3U], recurrent kernel [U, 3U], bias [2, 3U], or [3U] when the reset gate comes before the
// product; gates z, r, h.
import { gruSequence } from "../../ops/index.js";
import { bias, type Cell, kernels } from "./cell.js";

export const gru: Cell = {
  name: "gru",
  className: "GRU",
  states: ["h"],
  gates: 3,

  weights(config, inputs) {
    const { units, resetAfter } = config;
    const shape = resetAfter ? [2, 3 * units] : [3 * units];
    return [...kernels("gru_cell", 3, config, inputs), ...bias("gru_cell", shape, config)];
  },

  split(builder, { units, resetAfter }, [kernel, recurrent, bias]) {
    if (!bias || !resetAfter) return { kernel, recurrent, inputBias: bias };
    const row = (index: number) => builder.view(bias, [3 * units], index * 3 * units * 4);
    return { kernel, recurrent, inputBias: row(0), recurrentBias: row(1) };
  },

  sequence(
    builder,
    name,
    { resetAfter = true },
    { recurrent, recurrentBias },
    { gates, rows, starts, initialState },
  ) {
    const inputs = [gates, recurrent, initialState[0], recurrentBias, rows, starts];
    return builder.apply(gruSequence, name, inputs, { resetAfter });
  },

  // z, r = r(xW + b + hR);  k = a(xW + b + r∘(hR + b')), or a(xW + b + (r∘h)R);  h' = k + z∘(h - k)
  step(
    math,
    { units, activation, recurrentActivation = "sigmoid", resetAfter },
    { recurrent, recurrentBias },
  ) {
    const forGates = resetAfter ? recurrent : math.part(recurrent, 0, units, 2);
    const forCandidate = resetAfter ? undefined : math.part(recurrent, 2, units);
    return ({ gates, hidden, states: [state] }) => {
      const products = math.gateProducts(hidden, forGates, recurrentBias, resetAfter ? 3 : 2);
      const gate = (part: number) =>
        math.activate(
          recurrentActivation,
          math.add(math.part(gates, part, units), math.part(products, part, units)),
        );
      const reset = gate(1);
      const inner = forCandidate
        ? math.product(math.multiply(reset, hidden.at(-1)!), forCandidate)
        : math.multiply(reset, math.part(products, 2, units));
      const candidate = math.activate(activation, math.add(math.part(gates, 2, units), inner));
      return [math.add(candidate, math.multiply(gate(0), math.subtract(state, candidate)))];
    };
  },
};
