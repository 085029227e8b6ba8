// The recurrent layers with built-in cells: simpleRNN, lstm, gru. What differs from cell to cell is in cells/.
// keras.io/api/layers/recurrent_layers
import { inRange, positiveInteger, show, UnreelError } from "../errors.js";
import { dense, gatherRows, keptRows } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { applyScan } from "../ops/scan.js";
import { Size } from "../program/size.js";
import { seedOr } from "../random.js";
import { resolveInnerActivation } from "./activations.js";
import {
  type Cell,
  type CellConfig,
  type CellWeights,
  gru as gruCell,
  isFused,
  lstm as lstmCell,
  StepMath,
  simple as simpleCell,
} from "./cells/index.js";
import { lastAxis, layerOptions } from "./core.js";
import { type InitializerLike, resolveInitializer } from "./initializers.js";
import type { LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { type LimitOptions, noLimits, resolveLimits } from "./limits.js";
import {
  gateMasks,
  keepStates,
  obeyedMask,
  startingStates,
  turn,
  underMask,
  withMaskedOutputs,
} from "./recurrence.js";
import type { RegularizerLike } from "./regularizers.js";
import type { Shape, SymbolicTensor } from "./symbolic.js";

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

/** The output of the last step of a time-major sequence. */
export function lastStep({ builder }: LoweringContext, sequence: Value): Value {
  const [batch, time, ...rest] = sequence.shape;
  const bytes = Size.product([batch, ...rest]).times(4);
  const last = builder.view(sequence, [batch, ...rest], Size.of(time).plus(-1).times(bytes));
  return { ...last, timeMajor: false };
}

/** Shapes of a recurrent layer's outputs: the output, then the states. */
export function recurrentOutputs(
  { returnSequences, returnState }: { returnSequences: boolean; returnState: boolean },
  batch: number | null,
  time: number | null,
  states: readonly number[],
  outputSize = states[0],
): Shape[] {
  const output = returnSequences ? [batch, time, outputSize] : [batch, outputSize];
  return [output, ...(returnState ? states.map((size) => [batch, size]) : [])];
}

export function checkStates(
  layer: string,
  names: readonly string[],
  sizes: readonly number[],
  [batch]: Shape,
  states: readonly SymbolicTensor[],
): void {
  const operation = `${layer}: initialState`;
  if (states.length !== sizes.length) {
    throw new UnreelError({
      operation,
      expected: `${sizes.length} (${names.join(", ")})`,
      got: `${states.length}`,
    });
  }
  states.forEach(({ shape }, index) => {
    if (shape.length === 2 && shape[1] === sizes[index]) return;
    const expected = `state ${names[index]} of shape ${show([batch, sizes[index]])}`;
    throw new UnreelError({ operation, expected, got: show(shape) });
  });
}

export function checkBatch(layer: string, shape: Shape): void {
  if (shape[0] !== null) return;
  const hint = "Begin with input({ shape, batchSize }).";
  throw new UnreelError({
    operation: `${layer}: stateful`,
    expected: "a fixed batch size",
    got: "any",
    hint,
  });
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

interface GatedOptions extends RecurrentOptions {
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

const defaults = {
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
    known as typeof defaults & { recurrentActivation?: string | null },
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

function recurrent(kind: LayerKind<RecurrentConfig>, cell: Cell, options: object, extra: object): Layer {
  const { config, common } = readCellOptions(cell.name, options, { ...defaults, ...extra });
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
