// The activation functions of RNN, LSTM and GRU nodes, with their constants. https://onnx.ai/onnx/operators/onnx__LSTM.html
import * as ops from "../../../layers/operations.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import type { Call } from "../call.js";
import { elu, hardSigmoid, leaky } from "./elementwise.js";

export type Op = "RNN" | "LSTM" | "GRU";
export type Function = (x: SymbolicTensor) => SymbolicTensor;

const DEFAULTS: Readonly<Record<Op, readonly string[]>> = {
  RNN: ["Tanh"],
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
  GRU: ["Sigmoid", "Tanh"],
};

/** A function as a node names it. */
export interface Activation {
  /** By its name here, if layers have it. */
  readonly name?: string;
  readonly apply: Function;
}

/** Functions with their constants: ONNX's defaults are those of the operator of that name. */
function activationOf(call: Call, given: string, alpha?: number, beta?: number): Activation {
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;
  switch (given.toLowerCase()) {
    case "relu":
      return { name: "relu", apply: ops.relu };
    case "tanh":
      return { name: "tanh", apply: ops.tanh };
    case "sigmoid":
      return { name: "sigmoid", apply: ops.sigmoid };
    case "softsign":
      return { name: "softsign", apply: ops.softsign };
    case "softplus":
      return { name: "softplus", apply: ops.softplus };
    case "affine": {
      const [a, b] = [alpha ?? 1, beta ?? 0];
      return {
        name: a === 1 && b === 0 ? "linear" : undefined,
        apply: (x) => ops.add(ops.multiply(x, a), b),
      };
    }
    case "leakyrelu": {
      const a = alpha ?? 0.01;
      return { name: near(a, 0.2) ? "leakyRelu" : undefined, apply: (x) => leaky(x, a) };
    }
    case "thresholdedrelu": {
      const a = alpha ?? 1;
      return { apply: (x) => ops.where(ops.greater(x, a), x, 0) };
    }
    case "scaledtanh": {
      const [a, b] = [alpha ?? 1, beta ?? 1];
      return {
        name: a === 1 && b === 1 ? "tanh" : undefined,
        apply: (x) => ops.multiply(ops.tanh(ops.multiply(x, b)), a),
      };
    }
    case "hardsigmoid": {
      const [a, b] = [alpha ?? 0.2, beta ?? 0.5];
      const slopes = { hardSigmoid: 1 / 6, keras2HardSigmoid: 0.2, sparseSigmoid: 0.5 };
      const ours = Object.entries(slopes).find(([, slope]) => near(a, slope) && near(b, 0.5));
      return {
        name: ours?.[0],
        apply: (x) => hardSigmoid(x, a, b),
      };
    }
    case "elu": {
      const a = alpha ?? 1;
      return { name: near(a, 1) ? "elu" : undefined, apply: (x) => elu(x, a) };
    }
    default:
      return call.refuse("activations that ONNX lists", `'${given}'`);
  }
}

/** The functions of each direction. Constants are given in a row, to those functions that take some. */
export function activationsOf(call: Call, op: Op, directions: number): Activation[][] {
  const count = DEFAULTS[op].length;
  const names = call.texts("activations") ?? Array(directions).fill(DEFAULTS[op]).flat();
  if (names.length !== count * directions)
    return call.refuse(`${count * directions} activations`, `${names.length}`);
  const alphas = [...(call.floats("activation_alpha") ?? [])];
  const betas = [...(call.floats("activation_beta") ?? [])];
  const takes = (name: string, list: readonly string[]) => list.includes(name.toLowerCase());
  const all = names.map((name) => {
    const alpha = takes(name, ["affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"])
      ? alphas.shift()
      : undefined;
    const beta = takes(name, ["affine", "scaledtanh", "hardsigmoid"]) ? betas.shift() : undefined;
    return activationOf(call, name, alpha, beta);
  });
  return Array.from({ length: directions }, (_, d) => all.slice(d * count, (d + 1) * count));
}
