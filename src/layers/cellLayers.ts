// Cells as layers of their own, for `layers.rnn`: the built-in ones, several on top of each other, and a user's own.
// A cell takes x of one step and its states, and gives its output and its new states.
// keras.io/api/layers/recurrent_layers/lstm_cell, .../stacked_rnn_cell
import { positiveInteger, show, UnreelError } from "../errors.js";
import type { Value } from "../ops/op.js";
import {
  type Cell as BuiltIn,
  gru as gruRules,
  lstm as lstmRules,
  StepMath,
  simple as simpleRules,
} from "./cells/index.js";
import { input, lastAxis, layerOptions } from "./core.js";
import { cloneGraph, type Graph, makeGraph } from "./graph.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer, undoneBy } from "./layer.js";
import { gateMasks } from "./recurrence.js";
import {
  cellDefaults,
  type RecurrentConfig,
  type RecurrentOptions,
  readCellOptions,
} from "./recurrentOptions.js";
import { type Shape, SymbolicTensor, showShape } from "./symbolic.js";
import { wire } from "./wire.js";

type CellOptions = Omit<
  RecurrentOptions,
  | "returnSequences"
  | "returnState"
  | "goBackwards"
  | "stateful"
  | "zeroOutputForMask"
  | "unroll"
  | "useCudnn"
  | "activityRegularizer"
>;
type Gated<O> = O & { recurrentActivation?: string | null };

// ------------------------------------------------------------------------------------------------------------- built in

function builtInKind(cell: BuiltIn): LayerKind<RecurrentConfig> {
  return {
    className: `${cell.className}Cell`,
    merges: true,
    stateSizes: ({ units }) => cell.states.map(() => units),

    weights: (config, [shape]) =>
      cell
        .weights(config, lastAxis(cell.name, shape))
        .map((spec) => ({ ...spec, name: spec.name.replace(/^.*\//, "") })),

    outputs: ({ units }, [[batch]]) => [[batch, units], ...cell.states.map((): Shape => [batch, units])],

    lower(context, config, [x, ...states]) {
      const { builder, name } = context;
      const math = new StepMath(builder, name);
      const weights = cell.split(builder, config, context.weights);
      const before = states.map(({ value }) => value);
      // Masks depend on nothing in the loop over time, so they are the same at every step.
      const dropped = (value: Value, rate: number) => {
        const masks = gateMasks(context, rate, config, cell.gates, value.shape);
        return masks.length > 0 ? masks.map((mask) => math.multiply(value, mask)) : [value];
      };
      const inputs = dropped(x.value, config.dropout);
      const gates = math.gateProducts(inputs, weights.kernel, weights.inputBias, cell.gates);
      const hidden = dropped(before[0], config.recurrentDropout);
      const next = cell.step(math, config, weights)({ gates, states: before, hidden });
      return [next[0], ...next].map((value) => ({ value }));
    },
  };
}

function builtIn(kind: LayerKind<RecurrentConfig>, operation: string, options: object, extra: object): Layer {
  const { config, common } = readCellOptions(operation, options, { ...cellDefaults, ...extra });
  return new Layer(kind, config, common) as unknown as Layer;
}

const simpleKind = builtInKind(simpleRules);
const lstmKind = builtInKind(lstmRules);
const gruKind = builtInKind(gruRules);

/** One step of simpleRNN, for rnn and stackedRNNCells. Keras: layers.SimpleRNNCell. */
export const simpleRNNCell = (options: CellOptions): Layer =>
  builtIn(simpleKind, "simpleRNNCell", options, {});

/** One step of lstm, for rnn and stackedRNNCells. Keras: layers.LSTMCell. */
export const lstmCell = (options: Gated<CellOptions> & { unitForgetBias?: boolean }): Layer =>
  builtIn(lstmKind, "lstmCell", options, { recurrentActivation: "sigmoid", unitForgetBias: true });

/** One step of gru, for rnn and stackedRNNCells. Keras: layers.GRUCell. */
export const gruCell = (options: Gated<CellOptions> & { resetAfter?: boolean }): Layer =>
  builtIn(gruKind, "gruCell", options, { recurrentActivation: "sigmoid", resetAfter: true });

// -------------------------------------------------------------------------------------------------------------- stacked

export function stateSizesOf(cell: Layer): readonly number[] {
  return cell.kind.stateSizes!(cell.config);
}

export function isCell(layer: unknown): layer is Layer {
  return layer instanceof Layer && layer.kind.stateSizes !== undefined;
}

function takesConstants(cell: Layer): boolean {
  return cell.kind.takesConstants?.(cell.config) ?? false;
}

/** The shapes that each cell of a stack is applied to: the first reads x, each other the output of the one below. Constants
 * go to all cells that take them. */
function stackedInputs(
  cells: readonly Layer[],
  [x, ...rest]: readonly Shape[],
): { layer: Layer; inputs: Shape[] }[] {
  let below = x;
  const constants = rest.slice(cells.flatMap(stateSizesOf).length);
  return cells.map((layer) => {
    const states = stateSizesOf(layer).map((size): Shape => [x[0], size]);
    const inputs = [below, ...states, ...(takesConstants(layer) ? constants : [])];
    [below] = layer.kind.outputs(layer.config, inputs);
    return { layer, inputs };
  });
}

const stackedKind: LayerKind<{ cells: readonly Layer[] }> = {
  className: "StackedRNNCells",
  merges: true,
  stateSizes: ({ cells }) => cells.flatMap((cell) => [...stateSizesOf(cell)]),
  children: ({ cells }, inputs) => stackedInputs(cells, inputs),
  takesConstants: ({ cells }) => cells.some(takesConstants),

  outputs({ cells }, inputs) {
    const top = stackedInputs(cells, inputs).at(-1)!;
    const [output] = top.layer.kind.outputs(top.layer.config, top.inputs);
    return [output, ...cells.flatMap(stateSizesOf).map((size): Shape => [inputs[0][0], size])];
  },

  lower(context, { cells }, [x, ...states]) {
    let below = x;
    let taken = 0;
    const constants = states.slice(cells.flatMap(stateSizesOf).length);
    const after = cells.flatMap((cell) => {
      const own = states.slice(taken, taken + stateSizesOf(cell).length);
      taken += own.length;
      const given = [below, ...own, ...(takesConstants(cell) ? constants : [])];
      const [output, ...next] = cell.kind.lower(context.forLayer(cell), cell.config, given);
      below = output;
      return next;
    });
    return [below, ...after];
  },
};

/** Cells on top of each other as one cell; states in the order of the cells. Keras: layers.StackedRNNCells. */
export function stackedRNNCells(options: { cells: readonly (Layer | Cell)[] } & CommonOptions): Layer {
  return stacked(options, 0);
}

/** A list that holds itself has no end. */
const MOST_STACKS = 64;

/** `inside`: how many stacks this one is part of. */
function stacked(options: { cells: readonly unknown[] } & CommonOptions, inside: number): Layer {
  const { config, common } = layerOptions("stackedRNNCells", options, {
    cells: [] as readonly unknown[],
  });
  if (!Array.isArray(config.cells) || config.cells.length === 0) {
    throw new UnreelError({
      operation: "stackedRNNCells: cells",
      expected: "a list of cells",
      got: show(config.cells),
    });
  }
  const cells = config.cells.map((cell) => asCell("stackedRNNCells: cells", cell, inside + 1));
  return new Layer(stackedKind, { cells }, common) as unknown as Layer;
}

// ---------------------------------------------------------------------------------------------------------- a user's own

/** A cell written from layers and `ops.*`. `call` is asked once, with symbolic tensors, when the shape of x is known: it gets
 * x [batch, features] and the states [batch, size], and returns the output and the new states. Layers that it uses keep their
 * weights from step to step: make them before, not inside `call`. `constants` are those of `apply(x, { constants })`: the same
 * tensors, [batch, …], at every step, such as a memory [batch, time, size] that the cell attends to. */
export interface Cell {
  readonly stateSize: number | readonly number[];
  readonly name?: string;
  call(
    x: SymbolicTensor,
    states: readonly SymbolicTensor[],
    constants: readonly SymbolicTensor[],
  ): readonly [SymbolicTensor, readonly SymbolicTensor[]];
}

/** A cell as a layer, whatever it was given as. */
export function asCell(operation: string, cell: unknown, inside = 0): Layer {
  if (isCell(cell)) return cell;
  if (Array.isArray(cell) && inside < MOST_STACKS) return stacked({ cells: cell }, inside);
  if (
    cell !== null &&
    typeof cell === "object" &&
    typeof (cell as Cell).call === "function" &&
    "stateSize" in cell
  ) {
    return ownCell(operation, cell as Cell);
  }
  const hint =
    "Give layers.lstmCell({ … }), a list of cells, or an object { stateSize, call(x, states, constants) }.";
  throw new UnreelError({ operation, expected: "a cell", got: show(cell), hint });
}

function ownCell(operation: string, cell: Cell): Layer {
  const sizes = [cell.stateSize].flat() as number[];
  for (const size of sizes) positiveInteger(`${operation}: stateSize`, size);
  const draw = ([shape, ...rest]: readonly Shape[]): Graph => {
    const x = input({ shape: shape.slice(1) });
    const states = sizes.map((size) => input({ shape: [size] }));
    const constants = rest.slice(sizes.length).map((each) => input({ shape: each.slice(1) }));
    const result: unknown = cell.call(x, states, constants);
    const [output, next] = Array.isArray(result) ? result : [result, undefined];
    if (!(output instanceof SymbolicTensor) || !Array.isArray(next) || next.length !== sizes.length) {
      const expected = `[output, [${sizes.length} new states]] from the cell's call`;
      throw new UnreelError({ operation, expected, got: show(result) });
    }
    next.forEach((state: SymbolicTensor, k) => {
      if (state.shape.length === 2 && state.shape[1] === sizes[k]) return;
      throw new UnreelError({
        operation,
        expected: `new state ${k} of size ${sizes[k]}`,
        got: show(state.shape),
      });
    });
    return makeGraph(operation, [x, ...states, ...constants], [output, ...next], { unusedInputs: true });
  };
  return new Layer(
    ownKind(operation, sizes, draw),
    {},
    cell.name === undefined ? {} : { name: cell.name },
  ) as Layer;
}

/** A cell whose graph is drawn once: afterwards every step and every place where it is applied runs the same one. */
function ownKind(
  operation: string,
  sizes: readonly number[],
  draw: (shapes: readonly Shape[]) => Graph,
): LayerKind<object> {
  let graph: Graph | undefined;
  const graphFor = (shapes: readonly Shape[]): Graph => {
    if (!graph) {
      graph = draw(shapes);
      undoneBy(() => {
        graph = undefined;
      });
    }
    const drawn = graph.inputs.map((each) => each.shape);
    const fits = (a: Shape, b: Shape) => a.length === b.length && (a.length === 1 || a.at(-1) === b.at(-1));
    if (drawn.length === shapes.length && drawn.every((shape, k) => fits(shape, shapes[k]))) return graph;
    const told = (list: readonly Shape[]) =>
      [list[0], ...list.slice(1 + sizes.length)].map(showShape).join(", constants ");
    throw new UnreelError({
      operation,
      expected: `x and constants like those that the cell was first applied to, ${told(drawn)}`,
      got: told(shapes),
    });
  };
  return {
    className: "Cell",
    merges: true,
    stateSizes: () => sizes,
    takesConstants: () => true,
    cellGraph: () => graph,
    children: (_, shapes) => graphFor(shapes).layers.map((layer) => ({ layer })),
    outputs: (_, shapes) =>
      graphFor(shapes).outputs.map((output) => [shapes[0][0], ...output.shape.slice(1)]),
    lower: (context, _, flows) => wire(context, graph!, flows),
    copy: (copy) => ownKind(operation, sizes, (shapes) => cloneGraph(operation, graphFor(shapes), copy)),
  };
}
