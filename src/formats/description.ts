// What a file holds of a model, in plain form: a format writes this and reads this, and knows no `Model`.
// model/files.ts makes models of it and takes it from them.
import type { Graph } from "../layers/graph.js";
import type { Layer } from "../layers/layer.js";
import type { Weight } from "../layers/weight.js";
import type { CompileOptions } from "../training/compileOptions.js";

export interface ModelDescription {
  readonly name: string;
  /** Layers, how they are connected, and their weights: `layer.weights[i].read()` when writing, `assign` when reading. */
  readonly graph: Graph;
  /** The layers of a sequential model, without its input. */
  readonly sequence?: readonly Layer[];
  /** Absent for a model that is not compiled. */
  readonly compiled?: CompileOptions;
  /** Absent where no step was taken. */
  readonly training?: TrainingState;
  /** What the user keeps beside the model (vectorizers, lookups, scalers), each as its `toJSON` gives it, by name. */
  readonly assets?: Readonly<Record<string, unknown>>;
}

/** What an optimizer has come to. */
export interface TrainingState {
  /** Steps taken. */
  readonly iterations: number;
  /** The rate of the next step, where it is a number and no schedule. */
  readonly learningRate?: number;
  /** For each weight that is trained, in the model's order, the arrays that the optimizer keeps, in its order. */
  readonly slots: ReadonlyMap<Weight, readonly Float32Array[]>;
}

export const FORMATS = ["keras", "h5", "tfjs", "onnx", "safetensors", "wasm"] as const;
export type FormatName = (typeof FORMATS)[number];

export interface WriteOptions {
  /** Settings of compile and the optimizer's state with it. Default true. */
  readonly includeOptimizer: boolean;
  /** The largest batch, and the longest sequence, that a 'wasm' module takes. */
  readonly maxBatch?: number;
  readonly maxSteps?: number;
}

export interface ReadOptions {
  /** What messages call the file. */
  readonly file: string;
  /** Settings of compile and the optimizer's state, where the file has them. Default true. */
  readonly compile: boolean;
}

/** One kind of file. */
export interface Format {
  /** The bytes of a model, or those of several files by name, the main one first. Numbers are taken before it first waits. */
  write?(
    model: ModelDescription,
    options: WriteOptions,
  ): Promise<Uint8Array | ReadonlyMap<string, Uint8Array>>;
  /** `beside` gives the bytes of a file that is named in the first one, relative to it. */
  read?(
    bytes: Uint8Array,
    options: ReadOptions,
    beside: (path: string) => Promise<Uint8Array>,
  ): Promise<ModelDescription>;
  /** Assigns the weights of a file to a model that is there. */
  readWeights?(bytes: Uint8Array, file: string, model: ModelDescription): Promise<void>;
  /** The bytes of weights alone. */
  writeWeights?(model: ModelDescription): Promise<Uint8Array>;
}
