// The recurrent layers with built-in cells: simpleRNN, lstm, gru. What differs from cell to cell is in cells/.
// keras.io/api/layers/recurrent_layers
import { dense, gatherRows, keptRows } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { applyScan } from "../ops/scan.js";
import {
  type Cell,
  type CellWeights,
  gru as gruCell,
  isFused,
  lstm as lstmCell,
  StepMath,
  simple as simpleCell,
} from "./cells/index.js";
import { lastAxis } from "./core.js";
import type { LayerKind, LoweringContext } from "./kind.js";
import { Layer } from "./layer.js";
import {
  checkBatch,
  checkStates,
  gateMasks,
  keepStates,
  lastStep,
  obeyedMask,
  recurrentOutputs,
  startingStates,
  turn,
  underMask,
  withMaskedOutputs,
} from "./recurrence.js";
import {
  type GatedOptions,
  layerDefaults,
  type RecurrentConfig,
  type RecurrentOptions,
  readCellOptions,
} from "./recurrentOptions.js";

function recurrentKind(cell: Cell): LayerKind<RecurrentConfig> {
  return {
    className: cell.className,
    recurrent: true,
    ranks: [3, 3],

    weights: (config, [shape]) => cell.weights(config, lastAxis(cell.name, shape)),

    outputs: (config, [[batch, time]]) =>
      recurrentOutputs(
        config,
        batch,
        time,
        cell.states.map(() => config.units),
      ),

    check({ units, stateful }, [shape], { initialState }) {
      if (initialState)
        checkStates(
          cell.name,
          cell.states,
          cell.states.map(() => units),
          shape,
          initialState,
        );
      if (stateful) checkBatch(cell.name, shape);
    },

    mixesTime: ({ goBackwards }) => (goBackwards ? "it reads the sequence from its end" : undefined),

    lower(context, config, [flow]) {
      const { builder } = context;
      const x = turn(context, config.goBackwards, flow.value);
      const mask = obeyedMask(context, config.goBackwards, flow);
      const weights = cell.split(builder, config, context.weights);
      const batch = x.shape[0];
      const starting = startingStates(
        context,
        config.stateful,
        cell.states.map(() => [batch, config.units]),
      );
      const masks = gateMasks(context, config.dropout, config, cell.gates, [batch, x.shape[2]]);
      const dropped = masks.length > 0 ? masks.map((each) => underMask(context, x, each)) : [x];
      const isPlain = isFused(config) && !(context.training && config.recurrentDropout > 0);
      const run = isPlain ? inOneKernel : stepByStep;
      const { initial: initialState } = starting;
      const [sequence, ...states] = run(context, cell, config, weights, { x: dropped, mask, initialState });
      keepStates(context, starting, states);
      const outputs = withMaskedOutputs(
        context,
        sequence,
        mask,
        config.zeroOutputForMask,
        // A stream goes on from the step before: what it repeats is there.
        starting.initial[0] !== undefined && !context.streaming,
      );
      const output = config.returnSequences
        ? { value: outputs, mask: flow.mask }
        : { value: outputs === sequence ? states[0] : lastStep(context, outputs) };
      return [output, ...(config.returnState ? states.map((value) => ({ value })) : [])];
    },
  };
}

interface LoopInputs {
  /** Time-major: one for all gates, or one for each. */
  readonly x: readonly Value[];
  readonly mask?: Value;
  readonly initialState: readonly (Value | undefined)[];
}

/** The whole sequence in the cell's own kernel. Under a mask, of the rows that it keeps only. */
function inOneKernel(
  { builder, name }: LoweringContext,
  cell: Cell,
  config: RecurrentConfig,
  weights: CellWeights,
  { x: [x], mask, initialState }: LoopInputs,
): Value[] {
  const project = (inputs: Value, starts?: Value) =>
    builder.apply(dense, `${name}.gates`, [inputs, weights.kernel, weights.inputBias, starts], {})[0];
  if (!mask) return cell.sequence(builder, name, config, weights, { gates: project(x), initialState });
  const [rows, starts] = builder.apply(keptRows, `${name}.kept`, [mask], {});
  const [kept] = builder.apply(gatherRows, `${name}.kept`, [x, rows, starts], {});
  const gates = project(kept, starts);
  return cell.sequence(builder, name, config, weights, { gates, rows, starts, initialState });
}

/** The cell as a loop of ops: for activations that the fused kernels do not have, and for recurrent dropout. */
function stepByStep(
  context: LoweringContext,
  cell: Cell,
  config: RecurrentConfig,
  weights: CellWeights,
  { x, mask, initialState }: LoopInputs,
): Value[] {
  const { builder, name } = context;
  const math = new StepMath(builder, name);
  const gates = math.gateProducts(x, weights.kernel, weights.inputBias, cell.gates);
  const step = cell.step(math, config, weights);
  const shape = [gates.shape[0], config.units];
  const masks = gateMasks(context, config.recurrentDropout, config, cell.gates, shape);
  const sequences = mask ? [gates, mask] : [gates];
  const specs = cell.states.map((_, k) => ({ shape, initial: initialState[k] }));
  const {
    sequences: [sequence],
    states,
  } = applyScan(builder, name, sequences, specs, ([now, keep], before) => {
    const hidden = masks.length > 0 ? masks.map((each) => math.multiply(before[0], each)) : [before[0]];
    const next = step({ gates: now, states: before, hidden });
    const after = keep ? next.map((state, k) => math.select(keep, state, before[k])) : next;
    return { outputs: [after[0]], states: after };
  });
  return [sequence, ...states];
}

function recurrent(kind: LayerKind<RecurrentConfig>, cell: Cell, options: object, extra: object): Layer {
  const { config, common } = readCellOptions(cell.name, options, { ...layerDefaults, ...extra });
  return new Layer(kind, config, common) as unknown as Layer;
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
  return recurrent(lstmKind, lstmCell, options, {
    recurrentActivation: "sigmoid",
    ...{ unitForgetBias: true },
  });
}

/** Gated recurrent unit. Weights: kernel [I, 3U], recurrent kernel [U, 3U], bias [2, 3U] (or [3U] with `resetAfter: false`);
 * gates z, r, h. Keras: layers.GRU. */
export function gru(options: GatedOptions & { resetAfter?: boolean }): Layer {
  return recurrent(gruKind, gruCell, options, { recurrentActivation: "sigmoid", ...{ resetAfter: true } });
}
