// A graph of layer calls between inputs and outputs, in the order in which it runs and in which Keras lists its layers.
import { UnreelError } from "../errors.js";
import { attendingOptions } from "./attending.js";
import type { Layer } from "./layer.js";
import { type LayerCall, SymbolicTensor } from "./symbolic.js";
import type { Weight } from "./weight.js";

export interface Graph {
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  /** Every call after the calls it depends on. */
  readonly calls: readonly LayerCall[];
  /** Each layer once, in Keras' order: from the inputs, by depth. */
  readonly layers: readonly Layer[];
  /** Each weight once, in the order of the layers. */
  readonly weights: readonly Weight[];
}

/** Collects the graph between `inputs` and `outputs`; what the outputs need beyond the inputs is an error. */
export function makeGraph(
  operation: string,
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
  { unusedInputs = false } = {},
): Graph {
  for (const [what, tensors] of Object.entries({ inputs, outputs })) {
    const wrong = tensors.find((candidate) => !(candidate instanceof SymbolicTensor));
    if (tensors.length > 0 && wrong === undefined) continue;
    const got = tensors.length === 0 ? "none" : "something else";
    throw new UnreelError({
      operation: `${operation}: ${what}`,
      expected: "symbolic tensors, as input() and apply() return",
      got,
    });
  }
  const calls: LayerCall[] = [];
  const seen = new Set<LayerCall>();
  // What is open, the innermost last, with what it still waits for: chains may be longer than calls of functions can be deep.
  const open: { readonly call: LayerCall; readonly left: Iterator<SymbolicTensor> }[] = [];
  const visit = (call: LayerCall) => {
    if (seen.has(call)) return;
    seen.add(call);
    if (call.inputs.length === 0 && !inputs.some((input) => input.source === call)) {
      const hint = "List every input() that the outputs depend on under `inputs`.";
      throw new UnreelError({
        operation,
        expected: "outputs that depend on the given inputs only",
        got: `input '${call.layer.name}'`,
        hint,
      });
    }
    open.push({ call, left: dependencies(call).values() });
  };
  for (const output of outputs) {
    visit(output.source);
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const { value, done } = top.left.next();
      if (!done) visit(value.source);
      else calls.push(open.pop()!.call);
    }
  }
  for (const input of inputs) {
    if (unusedInputs || seen.has(input.source)) continue;
    const hint = "Remove it from `inputs`, or use it.";
    throw new UnreelError({
      operation,
      expected: "outputs that depend on every input",
      got: `unused input '${input.name}'`,
      hint,
    });
  }
  const layers = byDepth(calls);
  const named = new Map<string, Layer>();
  for (const layer of layers) {
    if (named.has(layer.name)) {
      throw new UnreelError({
        operation,
        expected: "layers of different names",
        got: `two layers named '${layer.name}'`,
      });
    }
    named.set(layer.name, layer);
  }
  return { inputs, outputs, calls, layers, weights: [...new Set(layers.flatMap((layer) => layer.weights))] };
}

export function dependencies({ inputs, options }: LayerCall): SymbolicTensor[] {
  const { initialState = [], mask, attending } = options;
  const masks = [mask, ...(attending ? [...attending.masks, attending.attentionMask] : [])];
  return [...inputs, ...initialState, ...masks.flatMap((each) => (each ? [each] : []))];
}

/** The same graph of other layers, on the same inputs. */
export function cloneGraph(operation: string, graph: Graph, copy: (layer: Layer) => Layer): Graph {
  const layers = new Map(graph.layers.map((layer) => [layer, copy(layer)]));
  const tensors = new Map(graph.inputs.map((input) => [input, input]));
  const all = (list: readonly SymbolicTensor[]) => list.map((each) => tensors.get(each)!);
  for (const { layer, inputs, outputs, options } of graph.calls) {
    if (inputs.length === 0) continue;
    const { initialState, constants = 0, mask, training, attending } = options;
    const least = inputs.length - constants;
    const made = layers.get(layer)!.call(all(inputs.slice(0, least)), {
      initialState: initialState && all(initialState),
      constants: constants === 0 ? undefined : all(inputs.slice(least)),
      mask: mask && tensors.get(mask),
      training,
      ...(attending && attendingOptions(layer.kind, attending, (each) => tensors.get(each)!)),
    });
    made.outputs.forEach((output, index) => {
      tensors.set(outputs[index], output);
    });
  }
  return makeGraph(operation, graph.inputs, all(graph.outputs), { unusedInputs: true });
}

/** Why a graph cannot be run one time step at a time, if it cannot. */
export function whyNotStepwise({ calls }: Graph): string | undefined {
  for (const { layer, options } of calls) {
    const reason = options.initialState
      ? "it begins with states that it is given; in a stream every layer keeps its own"
      : options.constants
        ? "its cell takes constants, which a stream has no place for"
        : layer.kind.mixesTime?.(layer.config);
    if (reason !== undefined) return `${layer.name} (${layer.className}): ${reason}`;
  }
  return undefined;
}

/** Distances to the outputs, in the order in which keras.Function comes upon calls and layers (map_graph). */
function depths(calls: readonly LayerCall[]) {
  const ofCall = new Map<LayerCall, number>();
  const ofLayer = new Map<Layer, number>();
  for (const call of [...calls].reverse()) {
    const depth = Math.max(ofCall.get(call) ?? 0, ofLayer.get(call.layer) ?? 0);
    ofLayer.set(call.layer, depth);
    ofCall.set(call, depth);
    for (const { source } of dependencies(call)) {
      ofCall.set(source, Math.max(ofCall.get(source) ?? 0, depth + 1));
    }
  }
  return { ofCall, ofLayer };
}

/** Calls in the order in which Keras runs them. */
export function inKerasOrder(calls: readonly LayerCall[]): LayerCall[] {
  return [...depths(calls).ofCall].sort(([, a], [, b]) => b - a).map(([call]) => call);
}

/** Layers by decreasing distance to the outputs; those of one depth in the order of the calls (keras.Functional). */
function byDepth(calls: readonly LayerCall[]): Layer[] {
  const { ofLayer: layerDepth } = depths(calls);
  const order = new Map<Layer, number>();
  for (const { layer } of calls) if (!order.has(layer)) order.set(layer, order.size);
  return [...order.keys()].sort(
    (a, b) => layerDepth.get(b)! - layerDepth.get(a)! || order.get(a)! - order.get(b)!,
  );
}
