// An ONNX model as a model here: what comes in and what goes out. Not here: running the nodes between (scope.ts), what the operators do
// (operators/), how axes lie (view.ts).
//
// Inputs and outputs have samples first here, whatever axis the graph has them on: recurrent nodes say which that is. A number of
// samples that the file fixes is kept only where something depends on it.
import { UnreelError } from "../../errors.js";
import { input } from "../../layers/core.js";
import { makeGraph } from "../../layers/graph.js";
import { uniqueName } from "../../layers/layer.js";
import type { SymbolicTensor } from "../../layers/symbolic.js";
import { allowance } from "../../zip.js";
import { type Complain, complainOf } from "../complain.js";
import type { ModelDescription } from "../description.js";
import { type Known, readTensor, TYPE_NAMES, typeOf } from "./arrays.js";
import { showValue } from "./call.js";
import { withoutMask } from "./constants.js";
import type { Dim } from "./dims.js";
import { takeIn } from "./external.js";
import { withMasks } from "./masks.js";
import { decodeModel, type GraphProto, type ModelProto, type ValueInfoProto } from "./proto.js";
import { Scope } from "./scope.js";
import { Misfit, View } from "./view.js";

/** Axes of one tensor, at most. */
const MOST_AXES = 16;

/** Nodes and initializers of a graph; it is read anew as long as that is not twice as many. */
const MOST_NODES = 8000;

/** What a try assumes: on which axis inputs have their samples, and whether the number of samples is that of the file. */
interface Assumptions {
  readonly sampleAxis: Map<string, number>;
  readonly fixedSamples: boolean;
}

/** Thrown to begin anew with other assumptions. */
class Anew extends Error {}

/** Reads an ONNX model (opset 7 and later; IR version 3 and later). `file` is what errors call it. */
export async function readOnnx(
  bytes: Uint8Array,
  file: string,
  beside: (path: string) => Promise<Uint8Array>,
): Promise<ModelDescription> {
  const complain = complainOf(file);
  const proto = await decodeModel(bytes, complain);
  const given = checked(proto, complain);
  const opset = opsetOf(proto, complain);
  const parts = partsOf(given);
  const most = `at most ${MOST_NODES} nodes and initializers`;
  if (parts > MOST_NODES) complain("graph", most, `${parts}`);
  await takeIn(given, beside, complain);
  const initializers = new Map<string, Known>();
  given.initializer.forEach((tensor, k) => {
    const place = `initializer '${tensor.name || k}'`;
    initializers.set(tensor.name, readTensor(tensor, place, complain));
  });
  const graph = withMasks(given, initializers);
  const sampleAxis = new Map<string, number>();
  let fixedSamples = false;
  let refused: unknown;
  // Each try knows one thing more: every input is turned once at most.
  for (let tries = 0; tries < graph.input.length + 3; tries++) {
    if (parts * tries > 2 * MOST_NODES) complain("graph", most, `${parts}, read ${tries} times`);
    try {
      // Constants that are folded are no part of the file.
      const take = allowance(bytes.length);
      const assumed = { sampleAxis, fixedSamples };
      return new GraphReader(graph, initializers, opset, file, complain, take, assumed).read();
    } catch (error) {
      if (error instanceof Anew) continue;
      if (fixedSamples) throw withHint(refused as UnreelError, graph, sampleAxis);
      if (!(error instanceof UnreelError) || !hasFixedSamples(graph)) throw error;
      refused = error;
      fixedSamples = true;
    }
  }
  throw refused;
}

/** Nodes and initializers, those of graphs inside nodes too. */
function partsOf({ node, initializer }: GraphProto): number {
  const inside = node.flatMap(({ attribute }) => attribute.flatMap(({ g }) => (g ? [partsOf(g)] : [])));
  return inside.reduce((sum, each) => sum + each, node.length + initializer.length);
}

function checked({ graph, irVersion, functions }: ModelProto, complain: Complain): GraphProto {
  if (!graph) return complain("model.graph", "a graph", "none", "Is it an ONNX model?");
  if (irVersion < 3) complain("model.irVersion", "3 or later", `${irVersion}`);
  if (functions.length > 0) {
    const hint = "onnx.inliner.inline_local_functions(model) puts them into the graph.";
    complain("model.functions", "a graph of operators", `${functions.length} functions`, hint);
  }
  if (graph.sparseInitializer.length > 0) complain("graph.sparseInitializer", "dense arrays", "sparse ones");
  return graph;
}

function opsetOf({ opsetImport }: ModelProto, complain: Complain): number {
  const found = opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
  const version = found?.version ?? 0;
  if (version < 7) complain("model.opsetImport", "opset 7 or later", found ? `${version}` : "none");
  return version;
}

/** Inputs that are no initializers: those before IR version 4 are listed too. */
function feeds({ input, initializer }: GraphProto): ValueInfoProto[] {
  const known = new Set(initializer.map(({ name }) => name));
  return input.filter(({ name }) => !known.has(name));
}

function hasFixedSamples(graph: GraphProto): boolean {
  return feeds(graph).some(({ type }) =>
    type?.tensorType?.shape?.dim.some(({ dimValue }) => (dimValue ?? 0) > 0),
  );
}

/** The number of samples that all inputs have, where it is one. */
function samplesOf(graph: GraphProto, sampleAxis: ReadonlyMap<string, number>): number | undefined {
  const counts = feeds(graph).map(({ name, type }) => {
    const dim = type?.tensorType?.shape?.dim[sampleAxis.get(name) ?? 0];
    return dim?.dimValue || undefined;
  });
  return counts.every((count) => count === counts[0]) ? counts[0] : undefined;
}

/** What is refused for any number of samples, in a file that was made for one, is told with the way out. */
function withHint(
  error: UnreelError,
  graph: GraphProto,
  sampleAxis: ReadonlyMap<string, number>,
): UnreelError {
  const samples = samplesOf(graph, sampleAxis);
  const { operation, expected, got } = error;
  if (samples === undefined || !/\bB\b/.test(got)) return error;
  const axes = feeds(graph).map(({ name }) => `'${name}': {${sampleAxis.get(name) ?? 0}: 'batch'}`);
  const hint = `The file was exported for batches of ${samples}. Export it for any: torch.onnx.export(…, dynamic_axes={${axes.join(", ")}}), with dynamo=True dynamic_shapes.`;
  return new UnreelError({ operation, expected, got, hint: error.hint ? `${error.hint} ${hint}` : hint });
}

class GraphReader {
  readonly #graph: GraphProto;
  readonly #assumed: Assumptions;
  readonly #complain: Complain;
  readonly #later: (() => void)[] = [];
  readonly #scope: Scope;

  constructor(
    graph: GraphProto,
    initializers: ReadonlyMap<string, Known>,
    opset: number,
    file: string,
    complain: Complain,
    take: ReturnType<typeof allowance>,
    assumed: Assumptions,
  ) {
    this.#graph = graph;
    this.#assumed = assumed;
    this.#complain = complain;
    const whole = {
      file,
      samples: assumed.fixedSamples ? undefined : samplesOf(graph, assumed.sampleAxis),
      opset,
      complain,
      take,
      later: this.#later,
      names: new Set<string>(),
      shared: new Map<string, unknown>(),
      constants: new Set<object>([...initializers.values()].map(({ data }) => data)),
      turnSamples: (name: string) => this.#turnSamples(name),
    };
    this.#scope = new Scope(graph, whole, initializers);
  }

  read(): ModelDescription {
    const inputs = feeds(this.#graph).map((info) => this.#input(info));
    this.#scope.run();
    const outputs = this.#graph.output.map(({ name }) => this.#output(name));
    if (outputs.length === 0) this.#complain("graph.output", "outputs", "none");
    const used = new Set<SymbolicTensor>();
    const stack = [...outputs];
    for (let each = stack.pop(); each; each = stack.pop()) {
      if (used.has(each)) continue;
      used.add(each);
      const { inputs: from, options } = each.source;
      stack.push(...from, ...(options.initialState ?? []), ...(options.mask ? [options.mask] : []));
    }
    const unused = inputs.find((each) => !used.has(each));
    if (unused) {
      const hint = "Only what the outputs depend on can be an input here: remove it from the graph.";
      this.#complain(
        `input '${unused.name}'`,
        "one that the outputs depend on",
        "one that is not used",
        hint,
      );
    }
    const graph = makeGraph("graph", inputs, outputs);
    for (const act of this.#later) act();
    return { name: uniqueName("onnx"), graph };
  }

  // ----------------------------------------------------------------------------------------------- what comes in and out

  #input({ name, type }: ValueInfoProto): SymbolicTensor {
    const place = `input '${name}'`;
    const tensor = type?.tensorType;
    if (!tensor)
      return this.#complain(place, "a tensor", type?.other ? "a list, a map or an optional" : "no type");
    const kind = typeOf(tensor.elemType);
    if (kind === undefined)
      this.#complain(place, "numbers", TYPE_NAMES[tensor.elemType] ?? `type ${tensor.elemType}`);
    if (!tensor.shape)
      this.#complain(place, "a shape", "none", "onnx.shape_inference, or the exporter, can write it.");
    const sizes = tensor.shape!.dim.map(({ dimValue, dimParam }, axis): Dim => {
      if (dimValue !== undefined && dimValue > 0) return dimValue;
      return `d_${(dimParam || `${name}_${axis}`).replace(/[^A-Za-z0-9_]/g, "_")}`;
    });
    if (sizes.length > MOST_AXES) this.#complain(place, `at most ${MOST_AXES} axes`, `${sizes.length}`);
    const first = this.#assumed.sampleAxis.get(name) ?? 0;
    if (sizes.length <= first) this.#complain(place, "samples along an axis", `shape (${sizes.join(", ")})`);
    const samples = sizes[first];
    const rest = sizes.toSpliced(first, 1);
    const layerName = this.#scope.unique(name.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+/, "") || "input");
    const isFixed = this.#assumed.fixedSamples && typeof samples === "number";
    const made = input({
      shape: rest.map((d) => (typeof d === "number" ? d : null)),
      dtype: kind === "float" ? "float32" : "int32",
      name: layerName,
      ...(isFixed && { batchSize: samples }),
    });
    const places = sizes.map((_, axis) => (axis === first ? 0 : axis < first ? axis + 1 : axis));
    this.#scope.set(name, View.of(made, [isFixed ? samples : "B", ...rest], places, kind));
    return made;
  }

  #output(name: string): SymbolicTensor {
    const place = `output '${name}'`;
    if (!this.#scope.isReady(name)) return this.#complain(place, "a value that a node makes", "none");
    const value = this.#scope.value(name);
    if (!(value instanceof View))
      return this.#complain(place, "one that depends on an input", showValue(value));
    // Samples first, then the graph's axes; samples that were put together with others on the first axis, as in (B * T, classes), stay
    // apart here. On a later axis they may be there by a size that only looks like theirs.
    if (value.axes.slice(1).some((axis) => axis.length > 1 && axis.includes(0)))
      this.#complain(place, "samples on an axis of their own, or on the first", showValue(value));
    const groups = value.axes.flatMap((axis) =>
      axis.includes(0) ? axis.filter((atom) => atom !== 0).map((atom) => [atom]) : [axis],
    );
    try {
      const { tensor } = value.arranged([[0], ...groups]);
      const isInput = tensor.source.inputs.length === 0;
      return isInput ? withoutMask(tensor) : tensor;
    } catch (error) {
      if (error instanceof Misfit) return this.#complain(place, error.message, showValue(value));
      throw error;
    }
  }

  /** Begins anew with the samples of the inputs behind a value on another axis. */
  #turnSamples(name: string): void {
    const behind = this.#scope.namesBehind(name);
    const turned = feeds(this.#graph)
      .map((info) => info.name)
      .filter((each) => {
        const value = behind.has(each) ? this.#scope.value(each) : undefined;
        return value instanceof View && value.rank > 1 && !this.#assumed.sampleAxis.has(each);
      });
    if (turned.length === 0) return;
    for (const each of turned) this.#assumed.sampleAxis.set(each, 1);
    throw new Anew();
  }
}
