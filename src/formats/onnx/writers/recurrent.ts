// Recurrent layers as RNN, LSTM and GRU nodes; with functions that these lack, and cells of other sorts, as Scan over the equations.
// https://onnx.ai/onnx/operators/onnx__LSTM.html, …__Scan.html
//
// Masks may keep any steps, and ONNX's lengths only the first ones: steps that are kept are brought to the front, the node gets their
// number, and its outputs go back to their places.

import type { CellConfig } from "../../../layers/cells/index.js";
import { type Cell, gru, lstm, simple } from "../../../layers/cells/index.js";
import type { Layer } from "../../../layers/layer.js";
import type { Shape } from "../../../layers/symbolic.js";
import type { Weight } from "../../../layers/weight.js";
import { turned } from "../../numbers.js";
import { type Attribute, BOOL, type Builder, FLOAT, type Flow, INT32, valueInfo } from "../builder.js";
import { CELL_ACTIVATIONS, writeActivation } from "./activations.js";
import { writeGraph } from "./graph.js";
import type { WriteCall, WriteLayer, Writers } from "./write.js";

interface Config extends CellConfig {
  returnSequences: boolean;
  returnState: boolean;
  goBackwards: boolean;
  stateful: boolean;
  zeroOutputForMask: boolean;
}

interface Kind {
  readonly op: "RNN" | "LSTM" | "GRU";
  readonly cell: Cell;
  /** Which of ours is ONNX's k-th gate. */
  readonly gates: readonly number[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  SimpleRNN: { op: "RNN", cell: simple, gates: [0] },
  LSTM: { op: "LSTM", cell: lstm, gates: [0, 3, 1, 2] },
  GRU: { op: "GRU", cell: gru, gates: [0, 1, 2] },
};

// ------------------------------------------------------------------------------------------------------------- one node

/** The functions of a node, or nothing where ONNX lacks one. */
function functionsOf(kind: Kind, { activation, recurrentActivation = "sigmoid" }: Config) {
  const names =
    kind.op === "RNN"
      ? [activation]
      : kind.op === "GRU"
        ? [recurrentActivation, activation]
        : [recurrentActivation, activation, activation];
  const found = names.map((name) => CELL_ACTIVATIONS[name]);
  return found.every((each) => each !== undefined) ? found : undefined;
}

function attributesOf(kind: Kind, configs: readonly Config[], direction: string): Record<string, Attribute> {
  const functions = configs.flatMap((config) => functionsOf(kind, config)!);
  const usual = { RNN: "Tanh", LSTM: "Sigmoid Tanh Tanh", GRU: "Sigmoid Tanh" }[kind.op];
  const isUsual = functions.map(({ name }) => name).join(" ") === configs.map(() => usual).join(" ");
  const alphas = functions.flatMap(({ alpha }) => (alpha === undefined ? [] : [alpha]));
  const betas = functions.flatMap(({ beta }) => (beta === undefined ? [] : [beta]));
  return {
    hidden_size: configs[0].units,
    direction,
    ...(!isUsual && { activations: functions.map(({ name }) => name) }),
    ...(alphas.length > 0 && { activation_alpha: { fs: alphas } }),
    ...(betas.length > 0 && { activation_beta: { fs: betas } }),
    ...(kind.op === "GRU" && { linear_before_reset: configs[0].resetAfter ? 1 : 0 }),
  };
}

/** W, R and B of one or two layers. */
function weightsOf(
  b: Builder,
  kind: Kind,
  layers: readonly Layer[],
  { units, useBias, resetAfter }: Config,
): string[] {
  const width = kind.gates.length * units;
  const all = layers.flatMap(({ weights }) => weights);
  const each = (index: number) => layers.map(({ weights }) => weights[index]);
  const matrices = (weights: readonly Weight[]) => {
    const [rows] = weights[0].shape;
    const data = new Float32Array(weights.length * rows * width);
    weights.forEach((weight, d) => {
      const whole = turned(weight.read(), rows, width);
      kind.gates.forEach((gate, k) => {
        data.set(
          whole.subarray(gate * units * rows, (gate + 1) * units * rows),
          (d * width + k * units) * rows,
        );
      });
    });
    return { data, shape: [weights.length, width, rows] };
  };
  const biases = () => {
    const weights = each(2);
    const data = new Float32Array(weights.length * 2 * width);
    const rows = kind.op === "GRU" && resetAfter ? 2 : 1;
    weights.forEach((weight, d) => {
      for (let row = 0; row < rows; row++) {
        kind.gates.forEach((gate, k) => {
          const from = row * width + gate * units;
          data.set(weight.read().subarray(from, from + units), (2 * d + row) * width + k * units);
        });
      }
    });
    return { data, shape: [weights.length, 2 * width] };
  };
  return [
    b.made("W", all, () => matrices(each(0))),
    b.made("R", all, () => matrices(each(1))),
    useBias ? b.made("B", all, biases) : "",
  ];
}

interface Ran {
  /** All outputs [samples, steps, units], if asked for, and the last states [samples, units]. */
  readonly sequence?: string;
  readonly states: readonly string[];
}

/** One layer as one node, in the order in which it reads. */
function node(
  b: Builder,
  kind: Kind,
  layer: Layer,
  x: string,
  states: readonly string[],
  lengths = "",
  backwards = false,
): Ran {
  const config = layer.config as Config;
  const attributes = attributesOf(kind, [config], backwards ? "reverse" : "forward");
  const initial = states.map((state) => b.unsqueeze(state, 0));
  const inputs = [b.stepsFirst(x), ...weightsOf(b, kind, [layer], config), lengths, ...initial];
  const [Y, ...last] = b.ops(kind.op, inputs, kind.op === "LSTM" ? 3 : 2, attributes);
  const sequence = config.returnSequences ? b.stepsFirst(b.squeeze(Y, 1)) : undefined;
  return { sequence, states: last.map((state) => b.squeeze(state, 0)) };
}

// ----------------------------------------------------------------------------------------------------------- under a mask

/** Rows [samples, steps, …] at other places along time. */
function gathered(b: Builder, x: string, places: string): string {
  const wide = b.op("Expand", [b.unsqueeze(places, 2), b.sizes(x, 0)]);
  return b.op("GatherElements", [x, wide], { axis: 1 });
}

function underMask(
  b: Builder,
  kind: Kind,
  layer: Layer,
  x: string,
  mask: string,
  states: readonly string[],
): Ran {
  const { zeroOutputForMask, returnSequences } = layer.config as Config;
  const ones = b.cast(mask, INT32);
  const counts = b.op("CumSum", [ones, b.ints([1], true)]);
  const lengths = b.reduce("ReduceSum", ones, [1], false);
  // Places of kept steps come first, in order: a masked step is counted behind all others.
  const place = b.op("CumSum", [
    b.binary("Add", b.scaled(b.cast(mask, FLOAT), 0), b.float(1)),
    b.ints([1], true),
  ]);
  const time = b.sizes(mask, 1, 2);
  const rank = b.binary("Add", place, b.where(mask, b.float(0), b.cast(time, FLOAT)));
  const [, order] = b.ops("TopK", [rank, time], 2, { axis: 1, largest: 0 });
  const ran = node(b, kind, layer, gathered(b, x, order), states, lengths);
  const isAny = b.unsqueeze(b.binary("Greater", lengths, b.cast(b.ints([0], true), INT32)), 1);
  const last = ran.states.map((state, k) => b.where(isAny, state, states[k] ?? b.float(0)));
  if (!returnSequences) return { states: last };
  // Where it was counted, less one; steps before the first that is kept have none.
  const before = b.binary("Sub", counts, b.cast(b.ints([1], true), INT32));
  const known = b.op("Max", [before, b.cast(b.ints([0], true), INT32)]);
  const repeated = gathered(b, ran.sequence!, b.cast(known, 7));
  const shown = zeroOutputForMask ? mask : b.binary("Greater", counts, b.cast(b.ints([0], true), INT32));
  return { sequence: b.where(b.unsqueeze(shown, 2), repeated, b.float(0)), states: last };
}

// ------------------------------------------------------------------------------------------------------------------ Scan

interface Step {
  readonly output: string;
  readonly states: readonly string[];
}

/** Columns of a value [samples, columns]. */
const part = (b: Builder, x: string, from: number, to: number) => b.slice(x, 1, from, to);

function product(b: Builder, x: string, weight: Weight, bias?: string): string {
  const out = b.op("MatMul", [x, b.weight(weight)]);
  return bias === undefined ? out : b.binary("Add", out, bias);
}

/** One step of a built-in cell, by its equations (layers/cells/). */
function builtInStep(
  b: Builder,
  kind: Kind,
  config: CellConfig,
  [kernel, recurrent, bias]: readonly Weight[],
  x: string,
  states: readonly string[],
): Step {
  const { units, activation, recurrentActivation = "sigmoid", resetAfter } = config;
  const outer = (value: string) => writeActivation(b, activation, value);
  const inner = (value: string) => writeActivation(b, recurrentActivation, value);
  const [hidden, cell] = states;
  const add = (p: string, q: string) => b.binary("Add", p, q);
  const multiply = (p: string, q: string) => b.binary("Mul", p, q);
  const row = (index: number) => {
    if (!bias) return undefined;
    const width = 3 * units;
    return b.weight(bias, `row ${index}`, (values) => ({
      data: values.slice(index * width, (index + 1) * width),
      shape: [width],
    }));
  };
  if (kind.op === "RNN") {
    const next = outer(add(product(b, x, kernel, bias && b.weight(bias)), product(b, hidden, recurrent)));
    return { output: next, states: [next] };
  }
  if (kind.op === "LSTM") {
    const gates = add(product(b, x, kernel, bias && b.weight(bias)), product(b, hidden, recurrent));
    const [i, f, c, o] = b.ops("Split", [gates], 4, { axis: 1 });
    const next = add(multiply(inner(f), cell), multiply(inner(i), outer(c)));
    const output = multiply(inner(o), outer(next));
    return { output, states: [output, next] };
  }
  const gates = product(b, x, kernel, resetAfter ? row(0) : bias && b.weight(bias));
  const gate = (from: number, products: string) =>
    inner(add(part(b, gates, from, from + units), part(b, products, from, from + units)));
  if (resetAfter) {
    const products = product(b, hidden, recurrent, row(1));
    const candidate = outer(
      add(
        part(b, gates, 2 * units, 3 * units),
        multiply(gate(units, products), part(b, products, 2 * units, 3 * units)),
      ),
    );
    const next = add(candidate, multiply(gate(0, products), b.binary("Sub", hidden, candidate)));
    return { output: next, states: [next] };
  }
  const columns = (name: string, from: number, to: number) =>
    b.weight(recurrent, name, (values) => {
      const data = new Float32Array(units * (to - from));
      for (let r = 0; r < units; r++)
        data.set(values.subarray(r * 3 * units + from, r * 3 * units + to), r * (to - from));
      return { data, shape: [units, to - from] };
    });
  const products = b.op("MatMul", [hidden, columns("gates", 0, 2 * units)]);
  const reset = multiply(gate(units, products), hidden);
  const candidate = outer(
    add(
      part(b, gates, 2 * units, 3 * units),
      b.op("MatMul", [reset, columns("candidate", 2 * units, 3 * units)]),
    ),
  );
  const next = add(candidate, multiply(gate(0, products), b.binary("Sub", hidden, candidate)));
  return { output: next, states: [next] };
}

const sizesOf = (cell: Layer): readonly number[] => cell.kind.stateSizes!(cell.config);

/** One step of any cell. */
function step(b: Builder, cell: Layer, x: Flow, states: readonly string[], constants: readonly Flow[]): Step {
  const before = b.scope;
  b.scope = `${before}/${cell.name}`;
  const done = inScope();
  b.scope = before;
  return done;

  function inScope(): Step {
    const kind = KINDS[cell.className.replace(/Cell$/, "")];
    if (kind && cell.className !== "Cell")
      return builtInStep(b, kind, cell.config as CellConfig, cell.weights, x.name, states);
    if (cell.className === "StackedRNNCells") {
      const { cells } = cell.config as { cells: readonly Layer[] };
      let below = x;
      let taken = 0;
      const after = cells.flatMap((each) => {
        const own = states.slice(taken, taken + sizesOf(each).length);
        taken += own.length;
        const { output, states: next } = step(
          b,
          each,
          below,
          own,
          each.kind.takesConstants?.(each.config) ? constants : [],
        );
        const size = each.kind
          .outputs(each.config, [below.shape, ...own.map((_, k): Shape => [null, sizesOf(each)[k]])])[0]
          .at(-1)!;
        below = { name: output, shape: [null, size] };
        return [...next];
      });
      return { output: below.name, states: after };
    }
    const graph = cell.kind.cellGraph?.();
    if (!graph) b.refuse(cell, "a built-in cell, or one written from layers and ops", "another one");
    const given = [
      x,
      ...states.map((name, k): Flow => ({ name, shape: [null, sizesOf(cell)[k]] })),
      ...constants,
    ];
    const [output, ...next] = writeGraph(b, graph!, given).map(({ name }) => name);
    return { output, states: next };
  }
}

interface Scanned {
  readonly stateSizes: readonly number[];
  readonly outputSize: number;
  readonly config: Pick<Config, "returnSequences" | "goBackwards" | "zeroOutputForMask">;
  one(b: Builder, x: Flow, states: readonly string[]): Step;
}

/** Any recurrence as a loop over time. */
function scan(
  b: Builder,
  x: Flow,
  mask: string | undefined,
  states: readonly string[],
  { stateSizes, outputSize, config, one }: Scanned,
): Ran {
  const { goBackwards, returnSequences, zeroOutputForMask } = config;
  const repeats = mask !== undefined && !zeroOutputForMask;
  const zero = (size: number) =>
    b.op("ConstantOfShape", [b.concat([b.sizes(x.name, 0, 1), b.ints([size])], 0)]);
  const initial = [
    ...stateSizes.map((size, k) => states[k] ?? zero(size)),
    ...(repeats ? [zero(outputSize)] : []),
  ];
  const body = b.inside();
  const now = body.unique("x");
  const keep = mask && body.unique("keep");
  const before = initial.map((_, k) => body.unique(`state${k}`));
  const shape: Shape = [x.shape[0], ...x.shape.slice(2)];
  const own = before.slice(0, stateSizes.length);
  const { output, states: next } = one(body, { name: now, shape }, own);
  const kept = keep && body.unsqueeze(keep, 1);
  const after = kept ? next.map((state, k) => body.where(kept, state, own[k])) : [...next];
  let shown = output;
  if (kept) shown = body.where(kept, output, repeats ? before.at(-1)! : body.float(0));
  // An output of the graph inside has a name of its own, also where a state is passed on or comes out twice.
  const named = (value: string) => body.op("Identity", [value]);
  const outs = [...after, ...(repeats ? [shown] : [])].map(named);
  const y = named(shown);
  const graph = {
    name: body.unique("step"),
    node: body.nodes,
    input: [
      ...before.map((name) => valueInfo(name, FLOAT)),
      valueInfo(now, FLOAT),
      ...(keep ? [valueInfo(keep, BOOL)] : []),
    ],
    output: [...outs, y].map((name) => valueInfo(name, FLOAT)),
  };
  const sequences = mask ? [x.name, mask] : [x.name];
  const found = b.ops("Scan", [...initial, ...sequences], initial.length + 1, {
    body: { g: graph },
    num_scan_inputs: sequences.length,
    scan_input_axes: sequences.map(() => 1),
    scan_output_axes: [1],
    ...(goBackwards && { scan_input_directions: sequences.map(() => 1) }),
  });
  const sequence = found.at(-1)!;
  const last = returnSequences ? undefined : b.squeeze(b.slice(sequence, 1, -1), 1);
  return { sequence: returnSequences ? sequence : last, states: found.slice(0, stateSizes.length) };
}

// ---------------------------------------------------------------------------------------------------------------- layers

function requireStateless(b: Builder, layer: Layer): void {
  if ((layer.config as Config).stateful)
    b.refuse(
      layer,
      "states that begin anew with each call",
      "stateful: true",
      "Give the states as inputs: initialState and returnState.",
    );
}

/** What a layer gives, of what ran. */
function outputsOf(
  b: Builder,
  { layer, inputs, shapes, initialState, mask }: WriteCall<Config>,
  { sequence, states }: Ran,
  isWhole: boolean,
): Flow[] {
  const { returnSequences, returnState, zeroOutputForMask, goBackwards } = layer.config as Config;
  let output = sequence;
  if (!returnSequences && !isWhole) {
    [output] = states;
    if (mask !== undefined && (zeroOutputForMask || initialState.length > 0)) {
      const last = b.slice(mask, 1, goBackwards ? 0 : -1, goBackwards ? 1 : undefined);
      const any = b.reduce("ReduceMax", b.cast(mask, INT32), [1], true);
      const shown = zeroOutputForMask ? last : b.cast(any, BOOL);
      output = b.where(shown, states[0], b.float(0));
    }
  }
  const first: Flow = { name: output!, shape: shapes[0], ...(returnSequences && { mask: inputs[0].mask }) };
  return [first, ...(returnState ? states.map((name, k) => ({ name, shape: shapes[1 + k] })) : [])];
}

function runBuiltIn(call: WriteCall<Config>): { ran: Ran; isWhole: boolean } {
  const { b, layer, inputs, initialState, mask } = call;
  const config = layer.config as Config;
  const kind = KINDS[layer.className];
  requireStateless(b, layer);
  const name = b.numbers(inputs[0]);
  if (!functionsOf(kind, config)) {
    const stateSizes = kind.cell.states.map(() => config.units);
    const one = (body: Builder, x: Flow, states: readonly string[]) =>
      builtInStep(body, kind, config, layer.weights, x.name, states);
    const ran = scan(b, { ...inputs[0], name }, mask, initialState, {
      stateSizes,
      outputSize: config.units,
      config,
      one,
    });
    // With a state given, steps before the first that is kept have no output.
    return {
      ran:
        mask && initialState.length > 0
          ? {
              ...ran,
              sequence: config.returnSequences ? beforeFirst(b, ran.sequence!, mask, config) : undefined,
            }
          : { ...ran, ...(!config.returnSequences && { sequence: undefined }) },
      isWhole: false,
    };
  }
  if (mask === undefined) {
    const ran = node(b, kind, layer, name, initialState, "", config.goBackwards);
    // ONNX leaves outputs at their places; here they are in the order computed.
    const sequence = config.goBackwards && ran.sequence ? b.flip(ran.sequence, 1) : ran.sequence;
    return { ran: { ...ran, sequence }, isWhole: false };
  }
  const turn = (value: string) => (config.goBackwards ? b.flip(value, 1) : value);
  return { ran: underMask(b, kind, layer, turn(name), turn(mask), initialState), isWhole: false };
}

/** Zeros before the first step that is kept. */
function beforeFirst(
  b: Builder,
  sequence: string,
  mask: string,
  { zeroOutputForMask, goBackwards }: Config,
): string {
  if (zeroOutputForMask) return sequence;
  const read = goBackwards ? b.flip(mask, 1) : mask;
  const counts = b.op("CumSum", [b.cast(read, INT32), b.ints([1], true)]);
  return b.where(b.unsqueeze(b.cast(counts, BOOL), 2), sequence, b.float(0));
}

const builtIn: WriteLayer = (call) => {
  const { ran, isWhole } = runBuiltIn(call);
  return outputsOf(call.b, call, ran, isWhole);
};

const rnn: WriteLayer = (call) => {
  const { b, layer, inputs, initialState, mask } = call;
  requireStateless(b, layer);
  const config = layer.config as Config & { cell: Layer };
  const { cell } = config;
  const [x, ...constants] = inputs;
  const ran = scan(b, { ...x, name: b.numbers(x) }, mask, initialState, {
    stateSizes: sizesOf(cell),
    outputSize: call.shapes[0].at(-1)!,
    config,
    one: (body, now, states) => step(body, cell, now, states, constants),
  });
  return outputsOf(b, call, ran, true);
};

// --------------------------------------------------------------------------------------------------------- both directions

function oneNodeForBoth(
  call: WriteCall<{ forward: Layer; backward: Layer; mergeMode?: string | null }>,
): Flow[] | undefined {
  const { b, config, inputs, initialState, mask, shapes } = call;
  const { forward, backward } = config;
  const kind = KINDS[forward.className];
  const [there, back] = [forward.config as Config, backward.config as Config];
  const fits =
    kind !== undefined &&
    mask === undefined &&
    forward.className === backward.className &&
    [there, back].every((each) => functionsOf(kind, each)) &&
    there.units === back.units &&
    there.useBias === back.useBias &&
    there.resetAfter === back.resetAfter &&
    back.goBackwards;
  if (!fits) return undefined;
  for (const layer of [forward, backward]) requireStateless(b, layer);
  const half = initialState.length / 2;
  const initial = Array.from({ length: half }, (_, k) =>
    b.concat(
      [initialState[k], initialState[half + k]].map((state) => b.unsqueeze(state, 0)),
      0,
    ),
  );
  const x = b.stepsFirst(b.numbers(inputs[0]));
  const nodeInputs = [x, ...weightsOf(b, kind, [forward, backward], there), "", ...initial];
  const [Y, ...last] = b.ops(
    kind.op,
    nodeInputs,
    kind.op === "LSTM" ? 3 : 2,
    attributesOf(kind, [there, back], "bidirectional"),
  );
  const states = last.map((each) => b.ops("Split", [each], 2, { axis: 0 }).map((one) => b.squeeze(one, 0)));
  const ends = there.returnSequences
    ? b.ops("Split", [b.transpose(Y, [1, 2, 0, 3])], 2, { axis: 0 }).map((one) => b.squeeze(one, 0))
    : states[0];
  const all = [...states.map(([first]) => first), ...states.map(([, second]) => second)];
  const kept = there.returnSequences ? inputs[0].mask : undefined;
  return together(call, ends, there.returnState ? all : [], kept, shapes);
}

function together(
  { b, config: { mergeMode } }: WriteCall<{ mergeMode?: string | null }>,
  ends: readonly string[],
  states: readonly string[],
  mask: string | undefined,
  shapes: readonly Shape[],
): Flow[] {
  const merged = () => {
    if (mergeMode === "concat") return b.concat(ends, -1);
    const both = b.binary(mergeMode === "mul" ? "Mul" : "Add", ends[0], ends[1]);
    return mergeMode === "ave" ? b.scaled(both, 0.5) : both;
  };
  const outputs = mergeMode === null ? [...ends] : [merged()];
  const flows = outputs.map((name, k): Flow => ({ name, shape: shapes[k], mask }));
  return [...flows, ...states.map((name, k) => ({ name, shape: shapes[outputs.length + k] }))];
}

const bidirectional: WriteLayer = (call) => {
  const one = oneNodeForBoth(call);
  if (one) return one;
  const { b, config, inputs, initialState, shapes } = call;
  const { forward, backward } = config as { forward: Layer; backward: Layer };
  const half = initialState.length / 2;
  const [[there, ...states], [back, ...backStates]] = [forward, backward].map((layer, d) => {
    const own = layer.kind.outputs(
      layer.config,
      inputs.map(({ shape }) => shape),
    );
    const write = RECURRENT[layer.className] ?? b.refuse(layer, "a recurrent layer", layer.className);
    const given = {
      ...call,
      layer,
      config: layer.config,
      shapes: own,
      initialState: initialState.slice(d * half, (d + 1) * half),
    };
    return write(given);
  });
  const { returnSequences } = forward.config as Config;
  // What reads from the end is turned to lie beside the other.
  const turnedBack = returnSequences ? b.flip(back.name, 1) : back.name;
  const kept = [...states, ...backStates].map(({ name }) => name);
  return together(call, [there.name, turnedBack], kept, there.mask, shapes);
};

export const RECURRENT: Writers = {
  SimpleRNN: builtIn,
  LSTM: builtIn,
  GRU: builtIn,
  RNN: rnn,
  Bidirectional: bidirectional,
};
