// rnn: any cell over a sequence, as a loop in the program. keras.io/api/layers/recurrent_layers/rnn
import type { Value } from "../ops/op.js";
import { applyScan } from "../ops/scan.js";
import { asCell, type Cell, stateSizesOf } from "./cellLayers.js";
import { StepMath } from "./cells/index.js";
import { layerOptions } from "./core.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import {
  checkBatch,
  checkStates,
  keepStates,
  lastStep,
  obeyedMask,
  recurrentOutputs,
  startingStates,
  turn,
  withMaskedOutputs,
} from "./recurrence.js";
import { sequenceDefaults } from "./recurrentOptions.js";
import type { Shape } from "./symbolic.js";

type RnnConfig = typeof sequenceDefaults & { cell: Layer };

/** The shapes of one step: x without time, then the states, then what is the same at every step. */
function stepInputs(cell: Layer, [[batch, , ...rest], ...constants]: readonly Shape[]): Shape[] {
  return [[batch, ...rest], ...stateSizesOf(cell).map((size): Shape => [batch, size]), ...constants];
}

const rnnKind: LayerKind<RnnConfig> = {
  className: "RNN",
  recurrent: true,
  ranks: [3, Number.POSITIVE_INFINITY],

  takesConstants: ({ cell }) => cell.kind.takesConstants?.(cell.config) ?? false,

  children: ({ cell }, shapes) => [{ layer: cell, inputs: stepInputs(cell, shapes) }],

  outputs(config, shapes) {
    const [shape] = shapes;
    const [output] = config.cell.kind.outputs(config.cell.config, stepInputs(config.cell, shapes));
    return recurrentOutputs(config, shape[0], shape[1], stateSizesOf(config.cell), output.at(-1)!);
  },

  check({ cell, stateful }, [shape], { initialState }) {
    const sizes = stateSizesOf(cell);
    if (initialState)
      checkStates(
        "rnn",
        sizes.map((_, k) => `state ${k}`),
        sizes,
        shape,
        initialState,
      );
    if (stateful) checkBatch("rnn", shape);
  },

  mixesTime: ({ goBackwards }) => (goBackwards ? "it reads the sequence from its end" : undefined),

  lower(
    context,
    { cell, goBackwards, stateful, zeroOutputForMask, returnSequences, returnState },
    [flow, ...rest],
  ) {
    const { builder, name } = context;
    const math = new StepMath(builder, name);
    const x = turn(context, goBackwards, flow.value);
    const mask = obeyedMask(context, goBackwards, flow);
    const batch = x.shape[0];
    const shapes = stateSizesOf(cell).map((size) => [batch, size]);
    const starting = startingStates(context, stateful, shapes);
    const inner = context.forLayer(cell, { perStep: true });
    const constants = rest.map(({ value }) => builder.batchMajor(value));
    const step = (now: Value, states: readonly Value[]) =>
      cell.kind
        .lower(
          inner,
          cell.config,
          [now, ...states, ...constants].map((value) => ({ value })),
        )
        .map(({ value }) => value);
    // Under a mask the previous output is repeated: it is carried like a state, from zeros.
    const repeats = mask !== undefined && !zeroOutputForMask;
    const features = x.shape.slice(2).map((d) => d as number);
    const shapesOfConstants = constants.map(({ shape: [, ...own] }) => [
      null,
      ...own.map((d) => (typeof d === "number" ? d : null)),
    ]);
    const [outputShape] = cell.kind.outputs(
      cell.config,
      stepInputs(cell, [[null, null, ...features], ...shapesOfConstants]),
    );
    const carriedShape = [batch, ...outputShape.slice(1).map((d) => d!)];
    // A stream goes on repeating from the step before.
    const keptOutput = repeats && context.streaming ? [context.keptState("output", carriedShape)] : [];
    const carried = repeats ? [{ shape: carriedShape, initial: keptOutput[0] }] : [];
    const specs = [...shapes.map((shape, k) => ({ shape, initial: starting.initial[k] })), ...carried];
    const { sequences, states: last } = applyScan(
      builder,
      name,
      mask ? [x, mask] : [x],
      specs,
      ([now, keep], before) => {
        const [output, ...next] = step(now, before.slice(0, shapes.length));
        if (!keep) return { outputs: [output], states: next };
        const after = next.map((state, k) => math.select(keep, state, before[k]));
        const shown = repeats ? math.select(keep, output, before[shapes.length]) : output;
        return { outputs: [shown], states: repeats ? [...after, shown] : after };
      },
    );
    const states = last.slice(0, shapes.length);
    keepStates(context, starting, states);
    keepStates(context, { initial: [], kept: keptOutput }, last.slice(shapes.length));
    const outputs = zeroOutputForMask
      ? withMaskedOutputs(context, sequences[0], mask, true, false)
      : sequences[0];
    const output = returnSequences
      ? { value: outputs, mask: flow.mask }
      : { value: lastStep(context, outputs) };
    return [output, ...(returnState ? states.map((value) => ({ value })) : [])];
  },
};

export interface RnnOptions extends CommonOptions, Partial<typeof sequenceDefaults> {
  /** A cell (`layers.lstmCell`, `layers.stackedRNNCells`), a list of cells, or a user's own. */
  cell: Layer | Cell | readonly (Layer | Cell)[];
}

// A cell that is written in place has the types of its arguments from the first line: a layer has a `call` of another type.
/** Any cell over a sequence; options as for lstm. Keras: layers.RNN. */
export function rnn(options: Omit<RnnOptions, "cell"> & { cell: Cell }): Layer;
export function rnn(options: RnnOptions): Layer;
export function rnn(options: RnnOptions): Layer {
  const { config, common } = layerOptions("rnn", options, {
    ...sequenceDefaults,
    cell: undefined as unknown as RnnOptions["cell"],
  });
  return new Layer(
    rnnKind,
    { ...config, cell: asCell("rnn: cell", config.cell) },
    common,
  ) as unknown as Layer;
}
