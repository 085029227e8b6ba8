// What a built-in cell tells the recurrent layer: its weights in Keras' order, and the op that runs it over time.
import { UnreelError } from "../../errors.js";
import type { Builder } from "../../ops/builder.js";
import type { Value } from "../../ops/op.js";
import { resolveActivation } from "../activations.js";
import type { Initializer } from "../initializers.js";
import type { WeightSpec } from "../layer.js";

export interface CellConfig {
  units: number;
  activation: string;
  recurrentActivation?: string;
  useBias: boolean;
  kernelInitializer: Initializer;
  recurrentInitializer: Initializer;
  biasInitializer: Initializer;
  unitForgetBias?: boolean;
  resetAfter?: boolean;
}

/** A cell's weights as its ops take them. */
export interface CellWeights {
  kernel: Value;
  inputBias?: Value;
  recurrent: Value;
  recurrentBias?: Value;
}

export interface SequenceInputs {
  /** x·W + b, time-major. */
  gates: Value;
  recurrent: Value;
  recurrentBias?: Value;
  mask?: Value;
  initialState: readonly Value[];
}

export interface Cell {
  /** The layer's name in unreel and its class in Keras. */
  readonly name: string;
  readonly className: string;
  readonly states: readonly string[];
  check(config: CellConfig): void;
  weights(config: CellConfig, inputs: number): WeightSpec[];
  split(builder: Builder, config: CellConfig, weights: readonly Value[]): CellWeights;
  /** The whole sequence, then each last state. */
  sequence(builder: Builder, name: string, config: CellConfig, inputs: SequenceInputs): Value[];
}

/** Kernel and recurrent kernel of a cell with `gates` gates; the bias differs from cell to cell. */
export function kernels(
  cell: string,
  gates: number,
  { units, ...config }: CellConfig,
  inputs: number,
): WeightSpec[] {
  return [
    { name: `${cell}/kernel`, shape: [inputs, gates * units], initializer: config.kernelInitializer },
    {
      name: `${cell}/recurrent_kernel`,
      shape: [units, gates * units],
      initializer: config.recurrentInitializer,
    },
  ];
}

/** The fused kernels compute tanh and sigmoid. */
export function requireFused(
  name: string,
  { activation, recurrentActivation = "sigmoid" }: CellConfig,
): void {
  const check = (option: string, given: string, fused: string) => {
    const resolved = resolveActivation(`${name}: ${option}`, given);
    if (resolved === fused) return;
    throw new UnreelError({ operation: `${name}: ${option}`, expected: `'${fused}'`, got: `'${resolved}'` });
  };
  check("activation", activation, "tanh");
  check("recurrentActivation", recurrentActivation, "sigmoid");
}
