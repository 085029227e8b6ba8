// A built-in recurrent layer as one RNN, LSTM or GRU node. https://onnx.ai/onnx/operators/onnx__LSTM.html
//
// Masks may keep any steps, and ONNX's lengths only the first ones: steps that are kept are brought to the front, the node gets their
// number, and its outputs go back to their places.
import type { Layer } from "../../../layers/layer.js";
import type { Weight } from "../../../layers/weight.js";
import { turned } from "../../numbers.js";
import { type Attribute, type Builder, FLOAT, INT32 } from "../builder.js";
import { CELL_ACTIVATIONS } from "./activations.js";
import type { Config, Kind, Ran } from "./recurrentKinds.js";

/** The functions of a node, or nothing where ONNX lacks one. */
export function functionsOf(kind: Kind, { activation, recurrentActivation = "sigmoid" }: Config) {
  const names =
    kind.op === "RNN"
      ? [activation]
      : kind.op === "GRU"
        ? [recurrentActivation, activation]
        : [recurrentActivation, activation, activation];
  const found = names.map((name) => CELL_ACTIVATIONS[name]);
  return found.every((each) => each !== undefined) ? found : undefined;
}

export function attributesOf(
  kind: Kind,
  configs: readonly Config[],
  direction: string,
): Record<string, Attribute> {
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
export function weightsOf(
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
/** One layer as one node, in the order in which it reads. */
export function node(
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

/** Rows [samples, steps, …] at other places along time. */
function gathered(b: Builder, x: string, places: string): string {
  const wide = b.op("Expand", [b.unsqueeze(places, 2), b.sizes(x, 0)]);
  return b.op("GatherElements", [x, wide], { axis: 1 });
}

export function underMask(
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
