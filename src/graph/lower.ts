// Lowers a graph to a program: forward alone, forward with its loss, or a whole training step.

import type { Graph } from "../layers/graph.js";
import type { Equal, Flow } from "../layers/layer.js";
import type { Weight } from "../layers/weight.js";
import { rootContext, type StateLayout, wire } from "../layers/wire.js";
import { Builder } from "../ops/builder.js";
import { loss as lossOp, maskedWeights, weightedSum } from "../ops/index.js";
import { at, type Value } from "../ops/op.js";
import { plan } from "../program/plan.js";
import type { Pointer, Program, Storage } from "../program/program.js";
import { Size } from "../program/size.js";
import { type InputPort, Port } from "./port.js";

export type { InputPort } from "./port.js";

/** predict: outputs only (also for streams). evaluate: with losses. gradients: and the way back. train: and the update, with dropout at work. */
export type Mode = "predict" | "evaluate" | "gradients" | "train";

/** What a program needs to know of a loss: the kernel of its rows. */
export interface LossSpec {
  readonly kernel: string;
  readonly parameters: readonly number[];
  /** Labels are class numbers (int32) instead of values like the output's. */
  readonly sparse: boolean;
  /** The mean over samples (and time steps), or their sum. */
  readonly reduction: "sumOverBatchSize" | "sum";
}

/** What a program needs to know of an optimizer: how a weight is updated from its gradient. */
export interface UpdateSpec {
  /** Arrays kept for each weight between steps. */
  readonly slots: readonly string[];
  /** The number that fills each of them before the first step; 0 when absent. */
  readonly initial?: readonly number[];
  /** Emits the update of each weight; `hyper` holds what changes from step to step. */
  emit(call: Builder["call"], updates: readonly Update[], hyper: Pointer): void;
}

export interface Update {
  readonly weight: Value;
  readonly gradient: Pointer;
  readonly slots: readonly Pointer[];
  readonly size: Size;
}

export interface Training {
  /** One for each output. */
  readonly losses: readonly LossSpec[];
  readonly lossWeights: readonly number[];
  readonly update: UpdateSpec;
}

/** Where the weights of a graph lie, and how many bytes they take. */
export interface WeightLayout {
  readonly addresses: ReadonlyMap<Weight, number>;
  readonly bytes: number;
}

/** What the host reads or writes of one output. */
export interface OutputPort {
  readonly value: Value;
  readonly mask?: Value;
  readonly target?: Value;
  readonly weights?: Value;
  /** The loss of the batch, one number. */
  readonly loss?: Value;
}

/** Two dimensions that the data must make equal. */
export type { Equal } from "../layers/layer.js";

export interface Lowered {
  readonly program: Program;
  readonly inputs: readonly InputPort[];
  readonly outputs: readonly OutputPort[];
  /** What regularizers add to the losses, one number. */
  readonly penalty?: Value;
  /** Bytes of working memory. */
  readonly work: Size;
  /** Bytes of gradients, slots and settings. */
  readonly trainingBytes: number;
  /** Slots that do not begin with zeros: bytes from the training base, words, and the number in each. */
  readonly filled: readonly { readonly offset: number; readonly words: number; readonly value: number }[];
  /** Bytes from the training base to the optimizer's settings. */
  readonly hyper: number;
  /** Two words that the host writes before each run: the seed of this training, and the number of the step. */
  readonly seed: Value;
  readonly gradients: ReadonlyMap<Weight, Storage>;
  /** Run-time dimensions that must be equal, and what to say when they are not. */
  readonly equal: readonly Equal[];
  /** The step of the program at which the update begins: everything before it changes no weight. */
  readonly updateStart: number;
}

/** Room for an optimizer's settings. */
const HYPER_BYTES = 64;

export function layOut(weights: readonly Weight[]): WeightLayout {
  const addresses = new Map<Weight, number>();
  let bytes = 0;
  for (const weight of weights) {
    addresses.set(weight, bytes);
    bytes += Math.ceil((weight.size * 4) / 16) * 16;
  }
  return { addresses, bytes };
}

export interface LowerOptions {
  readonly layout: WeightLayout;
  readonly states: StateLayout;
  readonly training?: Training;
  /** Lower for one time step of so many sequences at once. */
  readonly stream?: { readonly batchSize: number };
}

export function lower(graph: Graph, mode: Mode, { layout, states, training, stream }: LowerOptions): Lowered {
  const builder = new Builder();
  const backward = mode === "gradients" || mode === "train";
  const slotCount = mode === "train" ? training!.update.slots.length : 0;
  const hyperAddress = layout.bytes * (1 + slotCount);
  const block = (name: string, address: number, bytes: number): Storage => ({
    name,
    base: "training",
    size: Size.of(bytes),
    address: Size.of(address),
  });
  const seed = builder.source("seed", [2], "work", { dtype: "int32" });

  const ports = graph.inputs.map((input, index) => new Port(builder, input, index, stream?.batchSize));
  const weights = weightValues(builder, graph, layout, backward);
  const equal: Equal[] = [];
  const penalties: Value[] = [];
  const setting = {
    builder,
    weights,
    states,
    seed: seed.pointer,
    equal,
    training: mode === "train",
    streaming: stream !== undefined,
    penalties: mode === "predict" ? undefined : penalties,
  };
  const flows = wire(rootContext(setting), graph, ports);
  const outputs = flows.map(({ value, mask }, index): OutputPort => {
    const inOrder = { value: builder.batchMajor(value), mask: mask && builder.batchMajor(mask) };
    return mode === "predict"
      ? inOrder
      : lossPort(builder, inOrder, training!.losses[index], training!.lossWeights[index], index);
  });
  if (mode !== "predict") penalties.push(...weightPenalties(builder, graph, weights));

  builder.forward();
  const penalty = sumOf(builder, penalties);
  const gradients = new Map<Weight, Storage>();
  let updateStart = builder.steps.length;
  if (backward) {
    const one = builder.temporary("one", Size.of(4));
    builder.call("fill", one, 1, 1);
    for (const { loss } of outputs) builder.adopt(loss!, one);
    for (const each of penalties) builder.adopt(each, one);
    builder.backward();
    updateStart = builder.steps.length;
    const updates: Update[] = [];
    for (const [weight, value] of weights) {
      const gradient = builder.gradientOf(value);
      if (!gradient || !builder.wants(value)) continue;
      gradients.set(weight, gradient.storage);
      const address = layout.addresses.get(weight)!;
      const slots = Array.from({ length: slotCount }, (_, k) => {
        const name = `${weight.name}.${training!.update.slots[k]}`;
        return at(block(name, layout.bytes * (1 + k) + address, weight.size * 4));
      });
      updates.push({ weight: value, gradient, slots, size: Size.of(weight.size) });
    }
    const call = builder.call.bind(builder);
    if (mode === "train") {
      training!.update.emit(call, updates, at(block("hyper", hyperAddress, HYPER_BYTES)));
      for (const weight of gradients.keys()) weight.constraint?.emit(call, weights.get(weight)!);
    }
  }

  const values = [
    seed,
    ...ports.flatMap((port) => Object.values(port.values)),
    ...outputs.flatMap((port) => Object.values(port) as (Value | undefined)[]),
    penalty,
  ];
  const kept = values.flatMap((value) => (value ? [value.pointer.storage] : []));
  const program: Program = { name: mode, steps: builder.steps, interface: [...new Set(kept)] };
  return {
    program,
    inputs: ports,
    outputs,
    penalty,
    work: plan(program),
    trainingBytes: hyperAddress + HYPER_BYTES,
    filled: Array.from({ length: slotCount }, (_, k) => ({
      offset: layout.bytes * (1 + k),
      words: layout.bytes / 4,
      value: training!.update.initial?.[k] ?? 0,
    })).filter(({ value }) => value !== 0),
    hyper: hyperAddress,
    seed,
    gradients,
    equal,
    updateStart,
  };
}

function weightValues(
  builder: Builder,
  graph: Graph,
  { addresses }: WeightLayout,
  backward: boolean,
): Map<Weight, Value> {
  const values = new Map<Weight, Value>();
  const trainable = trainableOf(graph);
  for (const layer of graph.layers) {
    for (const weight of layer.weights) {
      if (values.has(weight)) continue;
      const options = { address: addresses.get(weight), wantsGradient: backward && trainable.has(weight) };
      values.set(weight, builder.source(weight.name, weight.shape, "weights", options));
    }
  }
  return values;
}

function trainableOf(graph: Graph): Set<Weight> {
  return new Set(graph.layers.flatMap((layer) => layer.trainableWeights));
}

/** The penalty of each weight that is trained, once. */
function weightPenalties(builder: Builder, graph: Graph, values: ReadonlyMap<Weight, Value>): Value[] {
  return [...trainableOf(graph)].flatMap((weight) => {
    const value = values.get(weight)!;
    return weight.regularizer?.penalty(builder, `${weight.name}.penalty`, value) ?? [];
  });
}

/** All penalties as the one number that the host reads. Each has the gradient one, so none flows through the sum. */
function sumOf(builder: Builder, penalties: readonly Value[]): Value | undefined {
  if (penalties.length === 0) return undefined;
  const sum = builder.source("penalty", [1], "work");
  builder.call("fill", sum, 0, 1);
  for (const each of penalties) builder.call("accumulate", sum, each, 1);
  return sum;
}

/** Appends the loss of one output: rows of losses, their weights, and the weighted sum. */
function lossPort(
  builder: Builder,
  { value, mask }: Flow,
  spec: LossSpec,
  lossWeight: number,
  index: number,
): OutputPort {
  const dtype = spec.sparse ? "int32" : "float32";
  const name = (what: string) => `${what}${index || ""}`;
  const rowShape = value.shape.slice(0, -1);
  const target = builder.source(name("target"), spec.sparse ? rowShape : value.shape, "work", { dtype });
  const weights = builder.source(name("weights"), rowShape, "work");
  const [losses] = builder.apply(lossOp, name("losses"), [target, value], spec);
  const kept =
    mask && mask.shape.length === rowShape.length
      ? builder.apply(maskedWeights, name("kept"), [weights, mask], { rescale: spec.reduction !== "sum" })[0]
      : weights;
  const [loss] = builder.apply(weightedSum, name("loss"), [losses, kept], { gradientScale: lossWeight });
  return { value, mask, target, weights, loss };
}
