// Leads flows through a graph of layers and writes each call (as wire() emits it, layers/wire.ts). Models inside models are written
// where they stand.
import { UnreelError } from "../../../errors.js";
import type { Graph } from "../../../layers/graph.js";
import type { Attending, LayerCall, SymbolicTensor } from "../../../layers/symbolic.js";
import { passesWholeMask, takenMasks } from "../../../layers/takenMasks.js";
import type { Builder, Flow } from "../builder.js";
import { writerOf } from "./index.js";
import { joinMasks } from "./layers.js";
import type { WrittenAttending } from "./write.js";

export function writeGraph(b: Builder, graph: Graph, arriving: readonly Flow[]): Flow[] {
  const flows = new Map<SymbolicTensor, Flow>(graph.inputs.map((input, k) => [input, arriving[k]]));
  const taken = takenMasks(graph);
  for (const call of graph.calls) {
    if (call.inputs.length === 0) continue;
    const { inputs, options } = call;
    const mask = options.mask && b.isTrue(flows.get(options.mask)!);
    const given = inputs.map((each): Flow => {
      const flow = flows.get(each)!;
      const { mask: own, wholeMask } = taken.seen(call, each, flow);
      return mask ? { ...flow, mask, wholeMask: undefined } : { ...flow, mask: own, wholeMask };
    });
    const attending = options.attending && attend(b, options.attending, given, flows);
    const states = (options.initialState ?? []).map((state) => b.numbers(flows.get(state)!));
    const wholeMask = wholeMaskBehind(b, call, given);
    writeCall(b, call, given, states, mask, attending).forEach((flow, k) => {
      flows.set(call.outputs[k], k === 0 && wholeMask ? { ...flow, wholeMask } : flow);
    });
  }
  return graph.outputs.map((output) => {
    const flow = flows.get(output)!;
    const { mask, wholeMask } = taken.left(output, flow);
    return { ...flow, mask, wholeMask };
  });
}

/** Masks given by name take the place of those that come with the inputs. */
function attend(
  b: Builder,
  { masks, attentionMask, ...flags }: Attending,
  given: Flow[],
  flows: ReadonlyMap<SymbolicTensor, Flow>,
): WrittenAttending {
  masks.forEach((each, k) => {
    if (each === undefined) return;
    given[k] = { ...(given[k] ?? given[1]), mask: each ? b.isTrue(flows.get(each)!) : undefined };
  });
  return { ...flags, attentionMask: attentionMask && b.isTrue(flows.get(attentionMask)!) };
}

function wholeMaskBehind(b: Builder, call: LayerCall, inputs: readonly Flow[]): string | undefined {
  if (inputs.every(({ wholeMask }) => wholeMask === undefined)) return undefined;
  const whole = inputs.map((flow) => ({ ...flow, mask: flow.wholeMask ?? flow.mask }));
  if (call.layer.kind.joinMasks) return joinMasks(b, call.layer, whole);
  return passesWholeMask(call) ? whole[0].mask : undefined;
}

function writeCall(
  b: Builder,
  call: LayerCall,
  inputs: readonly Flow[],
  initialState: readonly string[],
  mask?: string,
  attending?: WrittenAttending,
): readonly Flow[] {
  const { layer, outputs, options } = call;
  const before = b.scope;
  b.scope = before ? `${before}/${layer.name}` : layer.name;
  try {
    const { graph } = layer.kind;
    if (graph) return writeGraph(b, graph, inputs);
    // As in Keras, a layer that is given its states sees no mask but one that is given with them.
    const obeyed = initialState.length > 0 ? mask : inputs[0].mask;
    const shapes = outputs.map(({ shape }) => shape);
    return writerOf(layer)({
      b,
      layer,
      config: layer.config,
      inputs,
      shapes,
      options,
      initialState,
      mask: obeyed,
      attending,
    });
  } finally {
    b.scope = before;
  }
}

/** A layer inside another one, applied to something of another shape. */
export function writeInner(
  b: Builder,
  call: Pick<LayerCall, "layer">,
  inputs: readonly Flow[],
): readonly Flow[] {
  const { layer } = call;
  const shapes = layer.kind.outputs(
    layer.config,
    inputs.map(({ shape }) => shape),
  );
  const outputs = shapes.map((shape) => ({ shape }) as SymbolicTensor);
  return writeCall(b, { ...call, index: 0, inputs: [], outputs, options: {} }, inputs, []);
}

export function refuseLayer(name: string, className: string): never {
  throw new UnreelError({
    operation: `onnx: ${name} (${className})`,
    expected: "a layer that ONNX can express",
    got: `one of class ${className}, which this format does not write`,
  });
}
