// Each number of a vector less its mean, over its deviation: gamma (x - mean) / sqrt(variance + epsilon) + beta.
// x [rows, columns]; mean, variance, and gamma and beta where they are there, [columns].
import { columns, type Op, rows, type Value } from "./op.js";

export const normalizeColumns: Op<{ epsilon: number }> = {
  name: "normalizeColumns",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x, mean, variance, gamma, beta], outputs: [out], attributes: { epsilon } }) {
    const optional = [gamma ?? 0, beta ?? 0];
    e.call("normalizeColumns", out, x!, mean!, variance!, ...optional, rows(x!), columns(x!), epsilon);
  },

  backward(e, { inputs: [x, mean, variance, gamma, beta], outputs: [out], attributes: { epsilon } }) {
    const gradient = (value: Value | undefined) => (e.wants(value) ? e.gradient(value) : 0);
    const gradients = [x, mean, variance, gamma, beta].map(gradient);
    const dout = e.gradientOf(out)!;
    const statistics = [mean!, variance!, gamma ?? 0];
    e.call("normalizeColumnsBackward", ...gradients, dout, x!, ...statistics, rows(x!), columns(x!), epsilon);
  },
};
