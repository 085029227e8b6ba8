// Leads values through a graph: each call's layer emits its ops. Used for a whole model and for models inside models.
import { UnreelError } from "../errors.js";
import type { Builder } from "../ops/builder.js";
import { differs } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { FIRST_SAMPLE, hasSamples, SAMPLES } from "../ops/samples.js";
import { blockBytes } from "../program/plan.js";
import type { Pointer } from "../program/program.js";
import { type Dim, Size } from "../program/size.js";
import { cloneGraph, type Graph, whyNotStepwise } from "./graph.js";
import type {
  AttendingValues,
  ContextChanges,
  Equal,
  Flow,
  LayerKind,
  Least,
  LoweringContext,
} from "./kind.js";
import type { Layer } from "./layer.js";
import type { Attending, LayerCall, SymbolicTensor } from "./symbolic.js";
import { passesWholeMask, takenMasks } from "./takenMasks.js";
import type { Weight } from "./weight.js";

/** Where states that are kept between runs lie: given out in the order in which programs first ask. */
export interface StateLayout {
  readonly addresses: Map<string, number>;
  /** Numbers in each. */
  readonly sizes: Map<string, number>;
  bytes: number;
  /** Layers that keep states, numbered: two of one name keep them apart. */
  readonly owners: Map<Layer, number>;
}

interface Setting {
  readonly builder: Builder;
  readonly weights: ReadonlyMap<Weight, Value>;
  readonly states: StateLayout;
  readonly seed: Pointer;
  readonly equal: Equal[];
  readonly least: Least[];
  /** Filled with the last value that each weight was assigned. */
  readonly assigned: Map<Weight, Value>;
  readonly training: boolean;
  readonly streaming: boolean;
  /** How many samples a batch has, where it is fixed. */
  readonly batch?: number;
  /** Collects what is added to the loss; absent where there is no loss. */
  readonly penalties?: Value[];
}

/** What a layer inside another one takes over from it. */
type Inherited = Pick<LoweringContext, "training" | "streaming" | "perStep" | "trainable" | "samples">;

/** The context of a whole program: contexts of layers are made from it. */
export function rootContext({
  builder,
  weights,
  states,
  seed,
  equal,
  least,
  assigned,
  training,
  streaming,
  batch,
  penalties,
}: Setting): LoweringContext {
  let streams = 0;
  const kept = new Map<string, Value>();
  const keep = (name: string, shape: readonly Dim[]): Value => {
    let value = kept.get(name);
    if (!value) {
      const [samples, ...rest] = shape;
      const isBySample = hasSamples(samples);
      const numbers = Size.product(shape);
      const bytes =
        isBySample && batch === undefined ? undefined : 4 * numbers.evaluate({ [SAMPLES]: batch! });
      if (bytes === undefined) {
        throw new UnreelError({
          operation: name,
          expected: "a fixed batch size, to keep states from batch to batch",
          got: "any",
          hint: "Give the input a batchSize.",
        });
      }
      if (!states.addresses.has(name)) {
        states.addresses.set(name, states.bytes);
        states.sizes.set(name, bytes / 4);
        states.bytes += blockBytes(bytes);
      }
      // All samples' states lie together; a part of the batch begins at its first sample.
      const before = isBySample ? Size.product([FIRST_SAMPLE, ...rest]).times(4) : 0;
      const address = Size.of(states.addresses.get(name)!).plus(before);
      value = builder.source(name, shape, "state", { address });
      kept.set(name, value);
    }
    return value;
  };
  const ownerOf = (layer: Layer) => {
    if (!states.owners.has(layer)) states.owners.set(layer, states.owners.size);
    return states.owners.get(layer)!;
  };
  // Stateful layers have one state wherever they are applied, as in Keras. In a stream each place keeps its own.
  const make = (
    name: string,
    layer: Layer | undefined,
    path: string,
    from: Inherited & Omit<ContextChanges, keyof Inherited>,
  ): LoweringContext => ({
    builder,
    name,
    seed,
    keptState: (what, shape) =>
      keep(`${from.streaming ? path : `${ownerOf(layer!)}/${name}`}.${what}`, shape),
    requireEqual: (pair) => equal.push(pair),
    requireLeast: (length) => least.push(length),
    nextStream: () => streams++,
    weights: (layer?.weights ?? []).map((weight) => assigned.get(weight) ?? weights.get(weight)!),
    assign: (index, value) => assigned.set(layer!.weights[index], value),
    initialState: [],
    ignoresMask: false,
    ...from,
    penalize(regularizer, value) {
      if (!penalties) return;
      if (builder.recording) {
        throw new UnreelError({
          operation: `${name}: activityRegularizer`,
          expected: "a layer outside of a cell",
          got: "one that a cell applies at every step",
          hint: "Give it to a layer that takes what rnn returns, as layers.activityRegularization does.",
        });
      }
      const samples = from.samples ?? value.shape[0];
      penalties.push(regularizer.penalty(builder, `${name}.penalty`, value, samples));
    },
    forLayer: (inner, { place, ...changes } = {}) =>
      make(inner.name, inner, `${path}/${inner.name}${place === undefined ? "" : `#${place}`}`, {
        training: from.training,
        streaming: from.streaming,
        perStep: from.perStep,
        samples: from.samples,
        trainable: from.trainable && inner.trainable,
        ...changes,
      }),
  });
  return make("model", undefined, "", { training, streaming, perStep: false, trainable: true });
}

/** Emits the calls of a graph from what flows into it, and returns what flows out of it. */
export function wire(context: LoweringContext, graph: Graph, arriving: readonly Flow[]): Flow[] {
  const flows = new Map<SymbolicTensor, Flow>(graph.inputs.map((input, index) => [input, arriving[index]]));
  const taken = takenMasks(graph);
  graph.calls.forEach((call, place) => {
    const { layer, inputs, outputs, options } = call;
    if (inputs.length === 0) return;
    const given = inputs.map((input) =>
      underMasks(flows.get(input)!, (masks) => taken.seen(call, input, masks)),
    );
    const mask = options.mask && asMask(context, flows.get(options.mask)!);
    const attending = options.attending && attend(context, layer, options.attending, given, flows);
    if (mask) requireLength(context, `${layer.name}: mask`, given[0], mask);
    const initialState = (options.initialState ?? []).map((state) => flows.get(state)!.value);
    const inner = context.forLayer(layer, {
      initialState,
      ignoresMask: initialState.length > 0 && !mask,
      training: options.training ?? context.training,
      attending,
      place,
    });
    const asked = mask ? given.map((flow) => masked(flow, mask)) : given;
    const results = callLayer(inner, layer, asked);
    const wholeMask = wholeMaskBehind(inner, call, asked);
    outputs.forEach((output, index) => {
      flows.set(output, index === 0 && wholeMask ? { ...results[0], wholeMask } : results[index]);
    });
  });
  return graph.outputs.map((output) => underMasks(flows.get(output)!, (masks) => taken.left(output, masks)));
}

type Masks = Pick<Flow, "mask" | "wholeMask">;

/** The same flow, its masks as they are found somewhere. */
function underMasks(flow: Flow, found: (masks: Masks) => Masks): Flow {
  const { mask, wholeMask } = found(flow);
  return mask === flow.mask && wholeMask === flow.wholeMask ? flow : masked(flow, mask, wholeMask);
}

/** The whole mask of an output, where those of the inputs are others than what is left of them. */
function wholeMaskBehind(
  context: LoweringContext,
  call: LayerCall,
  inputs: readonly Flow[],
): Value | undefined {
  if (inputs.every(({ wholeMask }) => !wholeMask)) return undefined;
  const whole = inputs.map((flow) => masked(flow, flow.wholeMask ?? flow.mask));
  const { kind, config } = call.layer;
  if (kind.joinMasks) return kind.joinMasks(context, config, whole);
  return passesWholeMask(call) ? whole[0].mask : undefined;
}

/** What an attention layer is called with; masks given by name take the place of those that come with its inputs. */
function attend(
  context: LoweringContext,
  layer: Layer,
  { masks, attentionMask, ...flags }: Attending,
  given: Flow[],
  flows: ReadonlyMap<SymbolicTensor, Flow>,
): AttendingValues {
  masks.forEach((each, k) => {
    if (each === undefined) return;
    const mask = each ? asMask(context, flows.get(each)!) : undefined;
    const of = given[k] ?? given[1];
    if (mask) requireLength(context, `${layer.name}: mask`, of, mask);
    given[k] = masked(of, mask);
  });
  return { ...flags, attentionMask: attentionMask && asMask(context, flows.get(attentionMask)!) };
}

/** Emits a call of a layer: its ops, and the penalty of each output (keras.Layer.__call__). */
export function callLayer(context: LoweringContext, layer: Layer, inputs: readonly Flow[]): Flow[] {
  const flows = layer.kind.lower(context, layer.config, inputs);
  const { activityRegularizer } = layer;
  if (activityRegularizer) for (const { value } of flows) context.penalize(activityRegularizer, value);
  return flows;
}

/** A mask as int32: whole numbers as they are, others as whether they differ from zero. */
function asMask({ builder }: LoweringContext, flow: Flow): Value {
  if (flow.isInteger) return flow.integers!();
  const { value } = flow;
  const [mask] = builder.apply(differs, `${value.name}.mask`, [builder.view(value, [...value.shape, 1])], {
    value: 0,
  });
  return { ...mask, timeMajor: value.timeMajor };
}

/** A mask is as long as what it masks: where lengths are not known yet, the host checks before each run. */
function requireLength(context: LoweringContext, what: string, flow: Flow, mask: Value): void {
  const [a, b] = [(flow.shape ?? flow.value.shape)[1], mask.shape[1]];
  if (Size.of(a).toString() !== Size.of(b).toString()) context.requireEqual({ what, a, b });
}

/** The same flow under another mask, or none; its value is still only asked for when it is needed. */
function masked(flow: Flow, mask: Value | undefined, wholeMask?: Value): Flow {
  return {
    get value() {
      return flow.value;
    },
    mask,
    wholeMask,
    shape: flow.shape,
    isInteger: flow.isInteger,
    integers: flow.integers && ((limit) => flow.integers!(limit)),
  };
}

/** A model as a layer of another model: its weights and its calls, once for each place where it is applied. */
export function graphKind(className: string, graph: Graph): LayerKind<object> {
  return {
    className,
    graph,
    merges: graph.inputs.length > 1,
    inputDtype: graph.inputs[0].dtype,
    children: () => graph.layers.map((layer) => ({ layer })),
    check(_, shapes) {
      graph.inputs.forEach(({ shape, name }, index) => {
        const given = shapes[index];
        if (
          given?.length === shape.length &&
          shape.every((d, axis) => axis === 0 || d === null || d === given[axis])
        )
          return;
        const got = given ? `(${given.join(", ")})` : "nothing";
        throw new UnreelError({
          operation: `apply: input '${name}'`,
          expected: `shape (${shape.join(", ")})`,
          got,
        });
      });
    },
    outputs: (_, [[batch]]) => graph.outputs.map(({ shape }) => [batch, ...shape.slice(1)]),
    lower: (context, _, inputs) => wire(context, graph, inputs),
    mixesTime: () => whyNotStepwise(graph),
    copy: (copy) => graphKind(className, cloneGraph(className, graph, copy)),
  };
}
