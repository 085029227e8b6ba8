// Recurrent nodes under a mask, as writers/recurrentNode.ts writes them: ONNX's lengths keep the first steps only, so steps are sorted,
// those that are kept to the front, and outputs go back to their places. Here a layer takes the mask itself: these nodes are found, as
// patterns from the recurrent node on, and taken out of the graph again; the node gets the mask instead of lengths.
import type { Known } from "./arrays.js";
import { namesRead } from "./names.js";
import type { GraphProto, NodeProto } from "./proto.js";

/** A node that a value must come from, its inputs (a pattern, the name of a capture, or one number), attributes, which output. */
interface Pattern {
  readonly op: string;
  readonly inputs: readonly (Pattern | string | number)[];
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  readonly output?: number;
}

const pattern = (
  op: string,
  inputs: Pattern["inputs"],
  attributes: Pattern["attributes"] = {},
  output = 0,
): Pattern => ({ op, inputs, attributes, output });

const cast = (x: Pattern | string | number) => pattern("Cast", [x]);
const steps = pattern("Shape", ["mask"], { start: 1, end: 2 });
const counts = pattern("CumSum", [cast("mask"), 1]);
const lengths = pattern("ReduceSum", [cast("mask"), 1], { keepdims: 0 });
const places = pattern("CumSum", [pattern("Add", [pattern("Mul", [cast("mask"), 0]), 1]), 1]);
const rank = pattern("Add", [places, pattern("Where", ["mask", 0, cast(steps)])]);
const order = pattern("TopK", [rank, steps], { axis: 1, largest: 0 }, 1);
const at = (x: Pattern | string, index: Pattern) =>
  pattern(
    "GatherElements",
    [x, pattern("Expand", [pattern("Unsqueeze", [index, 2]), pattern("Shape", [x])])],
    {
      axis: 1,
    },
  );
const sorted = pattern("Transpose", [at("x", order)], { perm: [1, 0, 2] });
const known = pattern("Max", [pattern("Sub", [counts, cast(1)]), cast(0)]);
const back = at("sequence", cast(known));
const shown = pattern("Where", [
  pattern("Unsqueeze", [pattern("Greater", [counts, cast(0)]), 2]),
  "repeated",
  0,
]);

type Captures = Map<string, string>;

class Rewriting {
  readonly #makers = new Map<string, NodeProto>();
  readonly #users = new Map<string, NodeProto[]>();
  readonly #initializers: ReadonlyMap<string, Known>;
  readonly #outputs: ReadonlySet<string>;
  readonly replaced = new Map<NodeProto, NodeProto>();

  constructor(graph: GraphProto, initializers: ReadonlyMap<string, Known>) {
    this.#initializers = initializers;
    this.#outputs = new Set(graph.output.map(({ name }) => name));
    for (const node of graph.node) {
      for (const name of node.output) this.#makers.set(name, node);
      for (const name of namesRead(node)) this.#users.set(name, [...(this.#users.get(name) ?? []), node]);
    }
  }

  /** Takes the sorting around a recurrent node out, if there is one. */
  take(node: NodeProto): void {
    const found: Captures = new Map();
    if (node.input[4] === undefined || node.input[4] === "") return;
    if (!this.#fits(node.input[4], lengths, found) || !this.#fits(node.input[0], sorted, found)) return;
    const gathers = this.#returned(node, found);
    if (!gathers) return;
    const transposed = this.#makers.get(node.input[0])!;
    this.replaced.set(transposed, { ...transposed, input: [found.get("x")!] });
    this.replaced.set(node, { ...node, input: node.input.with(4, ""), mask: found.get("mask")! });
    for (const gather of gathers) {
      this.#pass(gather, found.get("sequence")!);
      // A layer gives zeros before the first step that is kept.
      for (const user of this.#users.get(gather.output[0]) ?? []) {
        const own: Captures = new Map([["mask", found.get("mask")!]]);
        if (this.#fits(user.output[0], shown, own) && own.get("repeated") === gather.output[0])
          this.#pass(user, gather.output[0]);
      }
    }
  }

  /** The nodes that bring outputs of all steps back to their places; undefined where something else reads these. */
  #returned(node: NodeProto, found: Captures): NodeProto[] | undefined {
    let name = node.output[0] ?? "";
    for (const op of ["Squeeze", "Transpose"]) {
      const users = this.#users.get(name) ?? [];
      if (this.#outputs.has(name) || users.length > 1 || (users[0] && users[0].opType !== op))
        return undefined;
      if (users.length === 0) return op === "Squeeze" ? [] : undefined;
      name = users[0].output[0];
    }
    found.set("sequence", name);
    const users = (this.#users.get(name) ?? []).filter(({ opType }) => opType !== "Shape");
    const fits = users.every((user) => this.#fits(user.output[0], back, found));
    return fits && !this.#outputs.has(name) ? users : undefined;
  }

  #pass(node: NodeProto, name: string): void {
    this.replaced.set(node, { ...node, opType: "Identity", input: [name], attribute: [] });
  }

  #fits(name: string, wanted: Pattern | string | number, found: Captures): boolean {
    if (typeof wanted === "string") {
      if (!found.has(wanted)) found.set(wanted, name);
      return found.get(wanted) === name;
    }
    if (typeof wanted === "number") {
      const data = this.#initializers.get(name)?.data;
      return data?.length === 1 && data[0] === wanted;
    }
    const node = this.#makers.get(name);
    if (!node || node.opType !== wanted.op || node.output[wanted.output ?? 0] !== name) return false;
    if (node.domain !== "" || node.input.length !== wanted.inputs.length) return false;
    const hasAttributes = Object.entries(wanted.attributes ?? {}).every(([key, value]) => {
      const attribute = node.attribute.find((each) => each.name === key);
      return typeof value === "number" ? attribute?.i === value : attribute?.ints.join() === value.join();
    });
    return hasAttributes && wanted.inputs.every((each, k) => this.#fits(node.input[k], each, found));
  }
}

/** Only nodes that outputs depend on. */
function needed(graph: GraphProto): NodeProto[] {
  const names = new Set(graph.output.map(({ name }) => name));
  const kept = graph.node.toReversed().filter((node) => {
    if (!node.output.some((name) => names.has(name))) return false;
    for (const name of namesRead(node)) names.add(name);
    return true;
  });
  return kept.reverse();
}

/** The graph with masks at recurrent nodes in place of what ONNX says them with, and without nodes that nothing depends on. */
export function withMasks(graph: GraphProto, initializers: ReadonlyMap<string, Known>): GraphProto {
  const rewriting = new Rewriting(graph, initializers);
  for (const node of graph.node) if (/^(RNN|LSTM|GRU)$/.test(node.opType)) rewriting.take(node);
  const { replaced } = rewriting;
  if (replaced.size === 0) return graph;
  const whole = { ...graph, node: graph.node.map((node) => replaced.get(node) ?? node) };
  return { ...whole, node: needed(whole) };
}
