// PyTorch's modules as layers here: the names and shapes of their parameters, and how numbers go from one to the other.
// pytorch.org/docs: nn.RNN, LSTM, GRU and their cells, Embedding, Linear, Conv1d, ConvTranspose1d, LayerNorm, BatchNorm1d.
// Gates: PyTorch's LSTM has i, f, g, o as here; its GRU r, z, n where layers have z, r, h. Weights there are [outputs, inputs].
import { UnreelError } from "../../errors.js";
import type { Layer } from "../../layers/layer.js";
import { Tensor } from "../../tensor.js";
import { turned } from "../numbers.js";

/** A layer's weights as a module's parameters. */
export interface Module {
  /** nn.LSTM, … */
  readonly className: string;
  /** Every parameter with its shape. */
  readonly parameters: ReadonlyMap<string, readonly number[]>;
  /** Parameters of the module that layers here do not have. */
  readonly silent: readonly string[];
  /** The parameters, of the layer's weights. */
  write(): Map<string, Tensor>;
  /** The layer's weights, of parameters of the right shapes. */
  read(get: (name: string) => Tensor): Tensor[];
}

const matrix = (values: ArrayLike<number>, [rows, columns]: readonly number[]) =>
  new Tensor(turned(values, rows, columns), [columns, rows]);

function refuse(layer: Layer, expected: string, got: string): never {
  throw new UnreelError({ operation: `torch: ${layer.name} (${layer.className})`, expected, got });
}

/** Blocks of `units` rows in another order. */
function blocks(values: ArrayLike<number>, order: readonly number[], size: number): Float32Array {
  const out = new Float32Array(values.length);
  const source = values as Float32Array;
  order.forEach((from, k) => {
    out.set(source.subarray(from * size, (from + 1) * size), k * size);
  });
  return out;
}

// -------------------------------------------------------------------------------------------------------------- recurrent

interface CellConfig {
  units: number;
  activation: string;
  recurrentActivation?: string;
  useBias: boolean;
  resetAfter?: boolean;
  goBackwards?: boolean;
}

/** Which of PyTorch's gates is the k-th here; the same list says it the other way round. */
const ORDER: Readonly<Record<string, readonly number[]>> = {
  SimpleRNN: [0],
  LSTM: [0, 1, 2, 3],
  GRU: [1, 0, 2],
};
const NAMES: Readonly<Record<string, string>> = { SimpleRNN: "nn.RNN", LSTM: "nn.LSTM", GRU: "nn.GRU" };

/** One direction of one layer: weight_ih, weight_hh and, with biases, bias_ih and bias_hh, each with `suffix`. */
function recurrent(layer: Layer, suffix: string, backwards: boolean): Module {
  const className = layer.className.replace(/Cell$/, "");
  const order = ORDER[className];
  const {
    units,
    activation,
    recurrentActivation,
    useBias,
    resetAfter,
    goBackwards = false,
  } = layer.config as CellConfig;
  const isUsual = activation === "tanh" || (className === "SimpleRNN" && activation === "relu");
  if (!isUsual)
    refuse(
      layer,
      className === "SimpleRNN"
        ? "activation 'tanh' or 'relu', as nn.RNN has"
        : `activation 'tanh', as ${NAMES[className]} has`,
      `'${activation}'`,
    );
  if (className !== "SimpleRNN" && recurrentActivation !== "sigmoid")
    refuse(layer, `recurrentActivation 'sigmoid', as ${NAMES[className]} has`, `'${recurrentActivation}'`);
  if (className === "GRU" && !resetAfter) refuse(layer, "resetAfter: true, the only form of nn.GRU", "false");
  if (goBackwards !== backwards)
    refuse(layer, "goBackwards: false: PyTorch reads backwards only beside forwards", "true");
  const width = order.length * units;
  const [inputs] = layer.weights[0].shape;
  const [ih, hh, bi, bh] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) => `${name}${suffix}`);
  const parameters = new Map<string, readonly number[]>([
    [ih, [width, inputs]],
    [hh, [width, units]],
  ]);
  if (useBias) parameters.set(bi, [width]).set(bh, [width]);
  const there = (name: string, values: Float32Array) =>
    new Tensor(blocks(values, order, values.length / order.length), parameters.get(name)!);
  return {
    className: NAMES[className],
    parameters,
    silent: [],
    write() {
      const [kernel, state, bias] = layer.weights.map((weight) => weight.read());
      const out = new Map<string, Tensor>();
      out.set(ih, there(ih, turned(kernel, inputs, width)));
      out.set(hh, there(hh, turned(state, units, width)));
      if (!useBias) return out;
      out.set(bi, there(bi, bias.slice(0, width)));
      out.set(bh, there(bh, className === "GRU" ? bias.slice(width) : new Float32Array(width)));
      return out;
    },
    read(get) {
      const here = (name: string) => {
        const { data, shape } = get(name);
        return { data: blocks(data, order, data.length / order.length), shape };
      };
      const weights = [ih, hh].map((name) => {
        const { data, shape } = here(name);
        return matrix(data, shape);
      });
      if (!useBias) return weights;
      const [own, state] = [here(bi).data, here(bh).data];
      if (className !== "GRU")
        return [
          ...weights,
          new Tensor(
            own.map((value, k) => value + state[k]),
            [width],
          ),
        ];
      const both = new Float32Array(2 * width);
      both.set(own);
      both.set(state, width);
      return [...weights, new Tensor(both, [2, width])];
    },
  };
}

/** Several modules that are one: parameters side by side, weights one after the other. */
function joined(parts: readonly Module[]): Module {
  return {
    className: parts[0].className,
    parameters: new Map(parts.flatMap(({ parameters }) => [...parameters])),
    silent: [],
    write: () => new Map(parts.flatMap((part) => [...part.write()])),
    read: (get) => parts.flatMap((part) => part.read(get)),
  };
}

function bothWays(layer: Layer, level: number): Module {
  const { forward, backward, mergeMode } = layer.config as {
    forward: Layer;
    backward: Layer;
    mergeMode: string | null;
  };
  if (!Object.hasOwn(ORDER, forward.className))
    refuse(layer, "simpleRNN, lstm or gru inside", `${forward.className}`);
  if (backward.className !== forward.className)
    refuse(layer, "the same layer both ways", `${forward.className} and ${backward.className}`);
  if (mergeMode !== "concat" && mergeMode !== null)
    refuse(layer, "mergeMode 'concat', as PyTorch has", `'${mergeMode}'`);
  const parts = [recurrent(forward, `_l${level}`, false), recurrent(backward, `_l${level}_reverse`, true)];
  return joined(parts);
}

// ------------------------------------------------------------------------------------------------------------------ others

interface Plain {
  readonly name: string;
  readonly shape: readonly number[];
  toTorch(values: Float32Array): Float32Array;
  toLayer(values: Float32Array): Float32Array;
}

/** What a module gets is a copy; what a layer gets it copies itself. */
const copied = (values: Float32Array) => values.slice();
const same = (values: Float32Array) => values;
const plain = (name: string, shape: readonly number[]): Plain => ({
  name,
  shape,
  toTorch: copied,
  toLayer: same,
});

/** Axes [a, b, c] in the opposite order: of a kernel [steps, inputs, outputs], as PyTorch has it, and back. */
function reversed(values: Float32Array, [a, m, c]: readonly number[]): Float32Array {
  const out = new Float32Array(values.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < m; j++)
      for (let k = 0; k < c; k++) out[(k * m + j) * a + i] = values[(i * m + j) * c + k];
  return out;
}

function kernel(name: string, shape: readonly number[]): Plain {
  const there = [...shape].reverse();
  return {
    name,
    shape: there,
    toTorch: (values) => reversed(values, shape),
    toLayer: (values) => reversed(values, there),
  };
}

/** Each weight a parameter, in the order of the weights. */
function simple(
  className: string,
  layer: Layer,
  plains: readonly Plain[],
  silent: readonly string[] = [],
): Module {
  return {
    className,
    parameters: new Map(plains.map(({ name, shape }) => [name, shape])),
    silent,
    write: () =>
      new Map(
        plains.map(({ name, shape, toTorch }, k) => [
          name,
          new Tensor(toTorch(layer.weights[k].read()), shape),
        ]),
      ),
    read: (get) =>
      plains.map(({ name, toLayer }, k) => new Tensor(toLayer(asFloats(get(name))), layer.weights[k].shape)),
  };
}

const asFloats = ({ data }: Tensor) => (data instanceof Float32Array ? data : new Float32Array(data));

type Make = (layer: Layer) => Module;

const biased = (layer: Layer, first: Plain): Plain[] =>
  layer.weights.length > 1 ? [first, plain("bias", layer.weights[1].shape)] : [first];

const dense: Make = (layer) => {
  const [inputs, units] = layer.weights[0].shape;
  return simple(
    "nn.Linear",
    layer,
    biased(layer, {
      name: "weight",
      shape: [units, inputs],
      toTorch: (values) => turned(values, inputs, units),
      toLayer: (values) => turned(values, units, inputs),
    }),
  );
};

/** [steps, channels, multiplier] as [channels · multiplier, 1, steps]. */
const depthwise: Make = (layer) => {
  const [steps, channels, multiplier] = layer.weights[0].shape;
  const outputs = channels * multiplier;
  return simple(
    "nn.Conv1d",
    layer,
    biased(layer, {
      name: "weight",
      shape: [outputs, 1, steps],
      toTorch: (values) => turned(values, steps, outputs),
      toLayer: (values) => turned(values, outputs, steps),
    }),
  );
};

function affine(layer: Layer): Plain[] {
  const { scale, center } = layer.config as { scale: boolean; center: boolean };
  const [{ shape }] = layer.weights;
  if (!scale && center) refuse(layer, "scale: true, as PyTorch has a weight where it has a bias", "false");
  return [...(scale ? [plain("weight", shape)] : []), ...(center ? [plain("bias", shape)] : [])];
}

const MODULES: Readonly<Record<string, Make>> = {
  Embedding: (layer) => simple("nn.Embedding", layer, [plain("weight", layer.weights[0].shape)]),
  Dense: dense,
  Conv1D: (layer) => simple("nn.Conv1d", layer, biased(layer, kernel("weight", layer.weights[0].shape))),
  DepthwiseConv1D: depthwise,
  Conv1DTranspose: (layer) =>
    simple("nn.ConvTranspose1d", layer, biased(layer, kernel("weight", layer.weights[0].shape))),
  LayerNormalization: (layer) => {
    if ((layer.config as { rmsScaling: boolean }).rmsScaling)
      refuse(layer, "rmsScaling: false, as nn.LayerNorm has", "true");
    return simple("nn.LayerNorm", layer, layer.weights.length > 0 ? affine(layer) : []);
  },
  BatchNormalization: (layer) => {
    const [mean, variance] = layer.weights.slice(-2);
    const moving = [plain("running_mean", mean.shape), plain("running_var", variance.shape)];
    return simple("nn.BatchNorm1d", layer, [...affine(layer), ...moving], ["num_batches_tracked"]);
  },
};

/** A layer as the `level`-th layer of a module; undefined for one without weights. */
export function moduleOf(layer: Layer, level = 0): Module | undefined {
  const { className, config, weights } = layer;
  if (weights.length === 0) return undefined;
  if (Object.hasOwn(ORDER, className)) return recurrent(layer, `_l${level}`, false);
  if (className === "Bidirectional") return bothWays(layer, level);
  if (className === "TimeDistributed") return moduleOf((config as { layer: Layer }).layer, level);
  if (className === "RNN") {
    const { cell } = config as { cell: Layer };
    if (Object.hasOwn(ORDER, cell.className.replace(/Cell$/, "")) && cell.className.endsWith("Cell")) {
      const made = recurrent(cell, "", false);
      return { ...made, className: `${made.className}Cell` };
    }
  }
  if (Object.hasOwn(MODULES, className)) return MODULES[className](layer);
  return refuse(
    layer,
    `a layer that is a module of PyTorch: recurrent ones, ${Object.keys(MODULES).join(", ")}`,
    className,
  );
}
