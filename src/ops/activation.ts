// Elementwise functions, a kernel each (assembly/activation.ts) or one for several; `parameters` come last in the kernel.
import { count, type Op } from "./op.js";

interface Curve {
  readonly kernel: string;
  readonly parameters: readonly number[];
}

const curve = (kernel: string, ...parameters: number[]): Curve => ({ kernel, parameters });

/** Every elementwise activation with its kernel and Keras' parameters. */
export const ACTIVATION_KERNELS: Readonly<Record<string, Curve>> = {
  relu: curve("relu"),
  relu6: curve("clipped", 1, 0, 0, 6),
  leakyRelu: curve("leakyRelu", 0.2),
  elu: curve("elu", 1, 1),
  celu: curve("elu", 1, 1),
  selu: curve("elu", 1.6732632423543772, 1.0507009873554805),
  gelu: curve("gelu"),
  geluTanh: curve("geluTanh"),
  swish: curve("swish"),
  mish: curve("mish"),
  softplus: curve("softplus"),
  squareplus: curve("squareplus", 4),
  sparsePlus: curve("sparsePlus"),
  softsign: curve("softsign"),
  softShrink: curve("shrink", 0.5, 0.5),
  hardShrink: curve("shrink", 0.5, 0),
  tanhShrink: curve("tanhShrink"),
  tanh: curve("tanh"),
  hardTanh: curve("clipped", 1, 0, -1, 1),
  sigmoid: curve("sigmoid"),
  hardSigmoid: curve("clipped", 1 / 6, 0.5, 0, 1),
  keras2HardSigmoid: curve("clipped", 0.2, 0.5, 0, 1),
  sparseSigmoid: curve("clipped", 0.5, 0.5, 0, 1),
  hardSwish: curve("hardSwish"),
  exponential: curve("exponential"),
  logSigmoid: curve("logSigmoid"),
};

export const activation: Op<Curve> = {
  name: "activation",

  outputs([x]) {
    return [{ shape: x!.shape, timeMajor: x!.timeMajor }];
  },

  byRows: () => true,

  forward(e, { inputs: [x], outputs: [out], attributes: { kernel, parameters } }) {
    e.call(kernel, out, x!, count(x!), ...parameters);
  },

  backward(e, { inputs: [x], outputs: [out], attributes: { kernel, parameters } }) {
    e.call(`${kernel}Backward`, e.gradient(x!), e.gradientOf(out)!, x!, out, count(x!), ...parameters);
  },
};
