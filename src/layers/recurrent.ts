// The recurrent layers with built-in cells: simpleRNN, lstm, gru. What differs from cell to cell is in cells/.
// keras.io/api/layers/recurrent_layers
import { positiveInteger, show, UnreelError } from "../errors.js";
import { dense, reverse } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import {
  type Cell,
  type CellConfig,
  gru as gruCell,
  lstm as lstmCell,
  simple as simpleCell,
} from "./cells/index.js";
import { lastAxis, layerOptions } from "./core.js";
import { type InitializerLike, resolveInitializer } from "./initializers.js";
import { type CommonOptions, Layer, type LayerKind } from "./layer.js";
import type { SymbolicTensor } from "./symbolic.js";

interface RecurrentConfig extends CellConfig {
  returnSequences: boolean;
  returnState: boolean;
  goBackwards: boolean;
}

function recurrentKind(cell: Cell): LayerKind<RecurrentConfig> {
  return {
    className: cell.className,
    ranks: [3, 3],

    weights: (config, [shape]) => cell.weights(config, lastAxis(cell.name, shape)),

    outputs({ units, returnSequences, returnState }, [[batch, time]]) {
      const output = returnSequences ? [batch, time, units] : [batch, units];
      const states = returnState ? cell.states.map(() => [batch, units]) : [];
      return [output, ...states];
    },

    check({ units }, [[batch]], { initialState }) {
      if (initialState) checkStates(cell, units, batch, initialState);
    },

    lower({ builder, name, weights, initialState }, config, [flow]) {
      const turn = (value: Value) =>
        builder.apply(reverse, `${name}.reverse`, [builder.timeMajor(value)], {})[0];
      const inTime = config.goBackwards ? turn : (value: Value) => builder.timeMajor(value);
      const x = inTime(flow.value);
      const mask = flow.mask && inTime(flow.mask);
      const { kernel, inputBias, recurrent, recurrentBias } = cell.split(builder, config, weights);
      const [gates] = builder.apply(dense, `${name}.gates`, [x, kernel, inputBias], {});
      const [sequence, ...states] = cell.sequence(builder, name, config, {
        gates,
        recurrent,
        recurrentBias,
        mask,
        initialState,
      });
      const last = states[0];
      const output = config.returnSequences ? { value: sequence, mask: flow.mask } : { value: last };
      return [output, ...(config.returnState ? states.map((value) => ({ value })) : [])];
    },
  };
}

function checkStates(
  cell: Cell,
  units: number,
  batch: number | null,
  states: readonly SymbolicTensor[],
): void {
  const operation = `${cell.name}: initialState`;
  if (states.length !== cell.states.length) {
    const expected = `${cell.states.length} (${cell.states.join(", ")})`;
    throw new UnreelError({ operation, expected, got: `${states.length}` });
  }
  states.forEach(({ shape }, index) => {
    if (shape.length === 2 && shape[1] === units) return;
    throw new UnreelError({
      operation,
      expected: `state ${cell.states[index]} of shape ${show([batch, units])}`,
      got: show(shape),
    });
  });
}

export interface RecurrentOptions extends CommonOptions {
  /** Size of the state and of the output. */
  units: number;
  /** 'tanh' (the fused kernels' own). */
  activation?: string;
  useBias?: boolean;
  kernelInitializer?: InitializerLike;
  recurrentInitializer?: InitializerLike;
  biasInitializer?: InitializerLike;
  /** All outputs instead of the last. Default false. */
  returnSequences?: boolean;
  /** The last states after the output. Default false. */
  returnState?: boolean;
  /** Reads the sequence from its end. Default false. */
  goBackwards?: boolean;
}

interface GatedOptions extends RecurrentOptions {
  /** 'sigmoid' (the fused kernels' own). */
  recurrentActivation?: string;
}

const defaults = {
  units: 0,
  activation: "tanh",
  useBias: true,
  kernelInitializer: "glorotUniform" as InitializerLike,
  recurrentInitializer: "orthogonal" as InitializerLike,
  biasInitializer: "zeros" as InitializerLike,
  returnSequences: false,
  returnState: false,
  goBackwards: false,
};

function recurrent(kind: LayerKind<RecurrentConfig>, cell: Cell, options: object, extra: object): Layer {
  const operation = cell.name;
  const { config, common } = layerOptions(operation, options, { ...defaults, ...extra });
  const { kernelInitializer, recurrentInitializer, biasInitializer } = config;
  const made = {
    ...config,
    units: positiveInteger(`${operation}: units`, config.units),
    kernelInitializer: resolveInitializer(`${operation}: kernelInitializer`, kernelInitializer),
    recurrentInitializer: resolveInitializer(`${operation}: recurrentInitializer`, recurrentInitializer),
    biasInitializer: resolveInitializer(`${operation}: biasInitializer`, biasInitializer),
  };
  cell.check(made);
  return new Layer(kind, made, common) as unknown as Layer;
}

const simpleKind = recurrentKind(simpleCell);
const lstmKind = recurrentKind(lstmCell);
const gruKind = recurrentKind(gruCell);

/** h_t = tanh(x_t·W + h_{t-1}·R + b). Weights: kernel [I, U], recurrent kernel [U, U], bias [U]. Keras: layers.SimpleRNN. */
export function simpleRNN(options: RecurrentOptions): Layer {
  return recurrent(simpleKind, simpleCell, options, {});
}

/** Long short-term memory. Weights: kernel [I, 4U], recurrent kernel [U, 4U], bias [4U]; gates i, f, c, o.
 * `unitForgetBias` (default true) starts the forget gate's bias at one. Keras: layers.LSTM. */
export function lstm(options: GatedOptions & { unitForgetBias?: boolean }): Layer {
  return recurrent(lstmKind, lstmCell, options, { recurrentActivation: "sigmoid", unitForgetBias: true });
}

/** Gated recurrent unit. Weights: kernel [I, 3U], recurrent kernel [U, 3U], bias [2, 3U] (or [3U] with `resetAfter: false`);
 * gates z, r, h. Keras: layers.GRU. */
export function gru(options: GatedOptions & { resetAfter?: boolean }): Layer {
  return recurrent(gruKind, gruCell, options, { recurrentActivation: "sigmoid", resetAfter: true });
}
