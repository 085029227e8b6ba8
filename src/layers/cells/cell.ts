// What a built-in cell tells the recurrent layer: its weights in Keras' order, the kernel that runs it over time with its
// default activations, and one step of it made of ops, for everything else.
import type { Builder } from "../../ops/builder.js";
import type { Value } from "../../ops/op.js";
import type { Initializer } from "../initializers.js";
import type { WeightSpec } from "../kind.js";
import { type LimitConfig, limitsOf } from "../limits.js";
import type { StepMath } from "./math.js";

export interface CellConfig extends LimitConfig<"kernel" | "recurrent" | "bias"> {
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
  readonly kernel: Value;
  readonly inputBias?: Value;
  readonly recurrent: Value;
  readonly recurrentBias?: Value;
}

export interface SequenceInputs {
  /** x·W + b, time-major. */
  readonly gates: Value;
  /** The rows that a mask keeps: gates hold no others. */
  readonly rows?: Value;
  readonly starts?: Value;
  readonly initialState: readonly (Value | undefined)[];
}

export interface Step {
  /** x·W + b of this step. */
  readonly gates: Value;
  readonly states: readonly Value[];
  /** The hidden state as the recurrent product sees it: one for all gates, or, after recurrent dropout, one for each. */
  readonly hidden: readonly Value[];
}

export interface Cell {
  /** The layer's name in unreel and its class in Keras. */
  readonly name: string;
  readonly className: string;
  readonly states: readonly string[];
  /** Blocks of columns of the kernels. */
  readonly gates: number;
  weights(config: CellConfig, inputs: number): WeightSpec[];
  split(builder: Builder, config: CellConfig, weights: readonly Value[]): CellWeights;
  /** The whole sequence in one kernel: all outputs, then each last state. Only for tanh and sigmoid. */
  sequence(
    builder: Builder,
    name: string,
    config: CellConfig,
    weights: CellWeights,
    inputs: SequenceInputs,
  ): Value[];
  /** What does not change from step to step, and one step: the new states, the first of which is the output. */
  step(math: StepMath, config: CellConfig, weights: CellWeights): (step: Step) => Value[];
}

/** Kernel and recurrent kernel of a cell with `gates` gates; the bias differs from cell to cell. */
export function kernels(
  cell: string,
  gates: number,
  { units, ...config }: CellConfig,
  inputs: number,
): WeightSpec[] {
  return [
    {
      name: `${cell}/kernel`,
      shape: [inputs, gates * units],
      initializer: config.kernelInitializer,
      ...limitsOf("kernel", config),
    },
    {
      name: `${cell}/recurrent_kernel`,
      shape: [units, gates * units],
      initializer: config.recurrentInitializer,
      ...limitsOf("recurrent", config),
    },
  ];
}

/** The bias of a cell, as a list: empty without one. */
export function bias(
  cell: string,
  shape: readonly number[],
  config: CellConfig,
  initializer = config.biasInitializer,
): WeightSpec[] {
  if (!config.useBias) return [];
  return [{ name: `${cell}/bias`, shape, initializer, ...limitsOf("bias", config) }];
}

/** Whether the fused kernels compute what the config asks for. */
export function isFused({ activation, recurrentActivation = "sigmoid" }: CellConfig): boolean {
  return activation === "tanh" && recurrentActivation === "sigmoid";
}
