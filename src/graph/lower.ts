// Lowers a graph to a program: forward alone, forward with its loss, or a whole training step.

import { UnreelError } from "../errors.js";
import type { Graph } from "../layers/graph.js";
import type { Equal, Least, LoweringContext } from "../layers/kind.js";
import type { Weight } from "../layers/weight.js";
import { rootContext, type StateLayout, wire } from "../layers/wire.js";
import { Builder, type Meeting, type PackedLayout } from "../ops/builder.js";
import { embedding } from "../ops/index.js";
import { at, type Value } from "../ops/op.js";
import { hasSamples } from "../ops/samples.js";
import { blockBytes, plan } from "../program/plan.js";
import { allCalls, isPointer, type Pointer, type Program, type Storage } from "../program/program.js";
import { Size } from "../program/size.js";
import { appendLoss, graphValues } from "./losses.js";
import { type InputPort, Port } from "./port.js";
import { type Training, targetKind, type Update } from "./training.js";

export type { InputPort } from "./port.js";

/** predict: outputs only (also for streams). evaluate: with losses. gradients: and the way back. train: and the update, with dropout at work. */
export type Mode = "predict" | "evaluate" | "gradients" | "train";

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
  /** The same as float32, where the target is class numbers and a function reads it. */
  readonly labels?: Value;
  readonly weights?: Value;
  /** The loss of the batch, one number. */
  readonly loss?: Value;
  /** The loss's values are a single one: a weight for each sample multiplies it. */
  readonly isScalar?: boolean;
  /** The mask takes part in the loss. */
  readonly isMasked?: boolean;
  /** Values of the functions that metrics ask for. */
  readonly functions?: readonly Value[];
}

export interface Lowered {
  readonly program: Program;
  /** What packs weights for it: to be run before it whenever they have changed. */
  readonly packing: Program;
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
  /** Bytes from the training base to what tells, for the rows of a table, when each was last updated. */
  readonly clocks: ReadonlyMap<Weight, number>;
  /** Bytes from the training base to the optimizer's settings. */
  readonly hyper: number;
  /** Words that the host writes before each run: the seed of this training, the number of the step, and for a part of a batch how
   * many samples are before it, and how many in other parts. */
  readonly seed: Value;
  /** Whether anything in the program is drawn from the seed. */
  readonly draws: boolean;
  /** Of the samples of a batch, the share that a part has: with it the parts' penalties and their gradients add up. */
  readonly share?: Value;
  readonly gradients: ReadonlyMap<Weight, Storage>;
  /** Run-time dimensions that must be equal, and what to say when they are not. */
  readonly equal: readonly Equal[];
  /** Lengths that must not be shorter. */
  readonly least: readonly Least[];
  /** The step of the program at which the update begins: everything before it changes no weight. */
  readonly updateStart: number;
  /** Where parts of a batch that are computed apart add up what all of them need. */
  readonly meetings: readonly Meeting[];
  /** The ops in which samples of a batch meet: with any, it cannot be computed in parts. */
  readonly mixing: ReadonlySet<string>;
  /** Multiplications and additions before the update, about. */
  readonly flops: Size;
}

/** Room for an optimizer's settings. */
const HYPER_BYTES = 64;

export function layOut(weights: readonly Weight[]): WeightLayout {
  const addresses = new Map<Weight, number>();
  let bytes = 0;
  for (const weight of weights) {
    addresses.set(weight, bytes);
    bytes += blockBytes(weight.size * 4);
  }
  return { addresses, bytes };
}

export interface LowerOptions {
  readonly layout: WeightLayout;
  readonly states: StateLayout;
  readonly training?: Training;
  /** Where weights lie packed, for programs that change none. */
  readonly packed?: PackedLayout;
  /** Batches are computed in parts, whose gradients are added up as blocks. */
  readonly inParts?: boolean;
  /** Lower for one time step of so many sequences at once. */
  readonly stream?: { readonly batchSize: number };
}

export function lower(
  graph: Graph,
  mode: Mode,
  { layout, states, training, packed, inParts, stream }: LowerOptions,
): Lowered {
  const builder = new Builder(packed);
  const backward = mode === "gradients" || mode === "train";
  const slotCount = mode === "train" ? training!.update.slots.length : 0;
  const hyperAddress = layout.bytes * (1 + slotCount);
  const block = (name: string, address: number, bytes: number): Storage => ({
    name,
    base: "training",
    size: Size.of(bytes),
    address: Size.of(address),
  });
  let trainingBytes = hyperAddress + blockBytes(HYPER_BYTES);
  const clocks = new Map<Weight, number>();
  const clockOf = (weight: Weight): Pointer => {
    const [vocabulary] = weight.shape;
    clocks.set(weight, trainingBytes);
    const clock = block(`${weight.name}.clock`, trainingBytes, (1 + vocabulary) * 4);
    trainingBytes += blockBytes((1 + vocabulary) * 4);
    return at(clock);
  };
  const seed = builder.source("seed", [4], "work", { dtype: "int32" });

  const ports = graph.inputs.map((input, index) => new Port(builder, input, index, stream?.batchSize));
  const weights = weightValues(builder, graph, layout, backward);
  const equal: Equal[] = [];
  const least: Least[] = [];
  const assigned = new Map<Weight, Value>();
  const penalties: Value[] = [];
  const setting = {
    builder,
    weights,
    states,
    seed: seed.pointer,
    equal,
    least,
    assigned,
    training: mode === "train",
    streaming: stream !== undefined,
    batch: ports.find((port) => port.batch !== undefined)?.batch,
    penalties: mode === "predict" ? undefined : penalties,
  };
  const context = rootContext(setting);
  const flows = wire(context, graph, ports);
  flows.forEach(({ value }, index) => {
    requireBatch(graph.outputs[index].name, value, ports);
  });
  const outputs = flows.map(({ value, mask }, index): OutputPort => {
    const inOrder = { value: builder.batchMajorAtLast(value), mask: mask && builder.batchMajor(mask) };
    return mode === "predict" ? inOrder : judged(context, inOrder, training!, index);
  });
  if (mode !== "predict") penalties.push(...weightPenalties(builder, graph, weights));

  builder.forward();
  const penalty = sumOf(builder, penalties);
  const share = backward && penalties.length > 0 ? builder.source("share", [1], "work") : undefined;
  const gradients = new Map<Weight, Storage>();
  let updateStart = builder.steps.length;
  if (backward) {
    const one = builder.temporary("one", Size.of(4));
    builder.call("fill", one, 1, 1);
    for (const { loss } of outputs) if (loss) builder.adopt(loss, one);
    for (const each of penalties) builder.adopt(each, share!.pointer);
    if (mode === "train" && !inParts)
      for (const value of weights.values()) builder.trackRows(value, embedding);
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
      const rows = builder.touchedRows(value);
      const touched = rows && { ...rows, ...tableOf(weight), clock: () => clockOf(weight) };
      updates.push({ weight: value, gradient, slots, size: Size.of(weight.size), touched });
    }
    const call = builder.call.bind(builder);
    if (updates.length === 0 && [...weights.values()].some((value) => builder.wants(value))) {
      throw new UnreelError({
        operation: "training",
        expected: "a loss that depends on the weights that are trained",
        got: "one without a gradient",
        hint: "A loss function must use yPred, and comparisons have no gradient.",
      });
    }
    if (mode === "train") {
      training!.update.emit(call, updates, at(block("hyper", hyperAddress, HYPER_BYTES)));
      for (const weight of gradients.keys()) weight.constraint?.emit(call, weights.get(weight)!);
      for (const [weight, value] of assigned) call("copy", weights.get(weight)!, value, Size.of(weight.size));
    }
  }

  // Lengths that must equal the number of samples are those of a whole batch.
  const comparing = equal.some(({ a, b }) => hasSamples(a) || hasSamples(b));
  const mixing = comparing ? new Set([...builder.mixing, "comparison of lengths"]) : builder.mixing;
  const values = [
    seed,
    share,
    ...ports.flatMap((port) => Object.values(port.values)),
    ...outputs.flatMap(({ value, mask, target, labels, weights, loss, functions = [] }) => [
      ...[value, mask, target, labels, weights, loss],
      ...functions,
    ]),
    penalty,
  ];
  const kept = values.flatMap((value) => (value ? [value.pointer.storage] : []));
  const program: Program = { name: mode, steps: builder.steps, interface: [...new Set(kept)] };
  return {
    program,
    packing: { name: `${mode}: packing`, steps: builder.packing, interface: [] },
    inputs: ports,
    outputs,
    penalty,
    work: plan(program),
    trainingBytes,
    filled: Array.from({ length: slotCount }, (_, k) => ({
      offset: layout.bytes * (1 + k),
      words: layout.bytes / 4,
      value: training!.update.initial?.[k] ?? 0,
    })).filter(({ value }) => value !== 0),
    clocks,
    hyper: hyperAddress,
    seed,
    draws: allCalls(program).some(({ args }) =>
      args.some((arg) => isPointer(arg) && arg.storage === seed.pointer.storage),
    ),
    share,
    gradients,
    equal,
    least,
    updateStart,
    meetings: builder.meetings,
    mixing,
    // The way back takes twice as many.
    flops: builder.flops.times(backward ? 3 : 1),
  };
}

function tableOf({ shape: [vocabulary, width] }: Weight) {
  return { vocabulary, width };
}

/** What a model gives has a row for each sample: `ops.*` can reduce or move the batch, which only a loss may. */
function requireBatch(name: string, { shape }: Value, ports: readonly InputPort[]): void {
  const [first] = shape;
  if (first !== undefined && ports.some((port) => String(port.shape[0]) === String(first))) return;
  throw new UnreelError({
    operation: `output '${name}'`,
    expected: "the batch as its first axis",
    got: `(${shape.join(", ")})`,
    hint: "Name the axes to reduce: axis 0 is the batch.",
  });
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

/** An output with its target, its loss and what metrics ask of it. */
function judged(
  context: LoweringContext,
  output: Pick<OutputPort, "value" | "mask">,
  training: Training,
  index: number,
): OutputPort {
  const kind = targetKind(training, index);
  if (kind === undefined) return output;
  const { builder } = context;
  const { value } = output;
  const name = (what: string) => `${what}${index || ""}`;
  const isClasses = kind === "classes";
  const shape = isClasses ? value.shape.slice(0, -1) : value.shape;
  const target = builder.source(name("target"), shape, "work", { dtype: isClasses ? "int32" : "float32" });
  const graphs = training.questions?.[index].functions ?? [];
  const labels = isClasses && graphs.length > 0 ? builder.source(name("labels"), shape, "work") : undefined;
  const spec = training.losses[index];
  const lossWeight = training.lossWeights[index];
  const loss = spec && appendLoss(context, spec, target, output, { lossWeight, name });
  const functions = graphs.map((graph) => graphValues(context, graph, labels ?? target, value));
  return { ...output, target, labels, ...loss, functions };
}
