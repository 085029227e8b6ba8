// Options of the recurrent layers and of their cells: what they are called, their defaults, and how they are read.
import { inRange, positiveInteger } from "../errors.js";
import { seedOr } from "../random.js";
import { resolveInnerActivation } from "./activations.js";
import type { CellConfig } from "./cells/index.js";
import { layerOptions } from "./core.js";
import type { InitializerLike } from "./initializers.js";
import type { CommonOptions } from "./layer.js";
import { type LimitOptions, noLimits, resolveLimits } from "./limits.js";
import type { RegularizerLike } from "./regularizers.js";
import { resolveInitializer } from "./resolveInitializer.js";

export interface RecurrentConfig extends CellConfig {
  returnSequences: boolean;
  returnState: boolean;
  goBackwards: boolean;
  stateful: boolean;
  zeroOutputForMask: boolean;
  dropout: number;
  recurrentDropout: number;
  seed: number;
}

export interface RecurrentOptions extends CommonOptions, LimitOptions<"kernel" | "recurrent" | "bias"> {
  /** Size of the state and of the output. */
  units: number;
  /** Default 'tanh'. With tanh and sigmoid the whole loop runs in one kernel. */
  activation?: string | null;
  useBias?: boolean;
  kernelInitializer?: InitializerLike;
  recurrentInitializer?: InitializerLike;
  biasInitializer?: InitializerLike;
  /** Penalty on what the layer returns, masked steps and returned states included. (Keras 3.15 forgets that of SimpleRNN.) */
  activityRegularizer?: RegularizerLike | null;
  /** All outputs instead of the last. Default false. */
  returnSequences?: boolean;
  /** The last states after the output. Default false. */
  returnState?: boolean;
  /** Reads the sequence from its end; outputs stay in the order computed. Default false. */
  goBackwards?: boolean;
  /** Keeps the states from batch to batch, until resetStates(); needs a fixed batch size. Default false. */
  stateful?: boolean;
  /** Zeros at masked steps instead of the previous output. Default false. */
  zeroOutputForMask?: boolean;
  /** Share of the inputs dropped while training, the same at every step. Default 0. */
  dropout?: number;
  /** Share of the state dropped before the recurrent product while training, the same at every step. Default 0. */
  recurrentDropout?: number;
  seed?: number | null;
  /** Accepted so that Keras' configs load; without effect. */
  unroll?: boolean;
  /** Accepted so that Keras' configs load; without effect. */
  useCudnn?: boolean | "auto";
}

export interface GatedOptions extends RecurrentOptions {
  /** Default 'sigmoid'. */
  recurrentActivation?: string | null;
}

/** What a cell knows of: the layer's options but for those about the sequence. */
export const cellDefaults = {
  units: undefined as unknown as number,
  activation: "tanh" as string | null,
  useBias: true,
  kernelInitializer: "glorotUniform" as InitializerLike,
  recurrentInitializer: "orthogonal" as InitializerLike,
  biasInitializer: "zeros" as InitializerLike,
  ...noLimits("kernel", "recurrent", "bias"),
  dropout: 0,
  recurrentDropout: 0,
  seed: null as number | null,
};

/** What a layer knows of a sequence. */
export const sequenceDefaults = {
  returnSequences: false,
  returnState: false,
  goBackwards: false,
  stateful: false,
  zeroOutputForMask: false,
  unroll: false,
};

/** All options of a layer with a built-in cell. */
export const layerDefaults = {
  ...cellDefaults,
  ...sequenceDefaults,
  activityRegularizer: null as RegularizerLike | null,
  useCudnn: "auto" as boolean | "auto",
};

/** The options of a recurrent layer, or of a cell, checked and with names resolved. */
export function readCellOptions(operation: string, options: object, known: object) {
  const { config, common } = layerOptions(
    operation,
    options,
    known as typeof layerDefaults & { recurrentActivation?: string | null },
  );
  const { kernelInitializer, recurrentInitializer, biasInitializer, recurrentActivation } = config;
  inRange(`${operation}: dropout`, config.dropout, 0, 1);
  inRange(`${operation}: recurrentDropout`, config.recurrentDropout, 0, 1);
  const made = {
    ...resolveLimits(operation, config),
    units: positiveInteger(`${operation}: units`, config.units),
    activation: resolveInnerActivation(`${operation}: activation`, config.activation),
    ...(recurrentActivation !== undefined && {
      recurrentActivation: resolveInnerActivation(`${operation}: recurrentActivation`, recurrentActivation),
    }),
    kernelInitializer: resolveInitializer(`${operation}: kernelInitializer`, kernelInitializer),
    recurrentInitializer: resolveInitializer(`${operation}: recurrentInitializer`, recurrentInitializer),
    biasInitializer: resolveInitializer(`${operation}: biasInitializer`, biasInitializer),
    seed: seedOr(config.seed, `${operation}: seed`),
  };
  return { config: made as unknown as RecurrentConfig, common };
}
