// Elementwise functions, one kernel each (assembly/activation.ts); `parameters` come last, as Keras names them.
import { count, type Op } from "./op.js";

/** Kernels of this family and the parameters each takes, with Keras' defaults. */
export const ACTIVATION_KERNELS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  relu: {},
  relu6: {},
  leakyRelu: { negativeSlope: 0.2 },
  elu: { alpha: 1 },
  selu: {},
  gelu: {},
  geluTanh: {},
  swish: {},
  mish: {},
  softplus: {},
  softsign: {},
  tanh: {},
  sigmoid: {},
  hardSigmoid: {},
  hardTanh: {},
  hardSwish: {},
  exponential: {},
  logSigmoid: {},
};

export const activation: Op<{ kernel: string; parameters: readonly number[] }> = {
  name: "activation",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x], outputs: [out], attributes: { kernel, parameters } }) {
    e.call(kernel, out, x!, count(x!), ...parameters);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { kernel, parameters } }) {
    e.call(`${kernel}Backward`, e.gradient(x!), e.gradientOf(out)!, x!, out, count(x!), ...parameters);
  },
};
