// The nodes of a graph, run in order: each becomes layers or `ops.*`, and values go by their names from one to the next. What cannot be
// expressed is refused by node, type and reason. A graph inside a node has a scope of its own, which sees the values around it.
import { UnreelError } from "../../errors.js";
import type { allowance } from "../../zip.js";
import type { Complain } from "../complain.js";
import { readTensor } from "./arrays.js";
import { Call, type Given, isKnown, type Reading } from "./call.js";
import { namesRead } from "./names.js";
import { OPERATORS, REASONS } from "./operators/index.js";
import type { GraphProto, NodeProto } from "./proto.js";

/** What all graphs of a model share. */
interface Whole {
  readonly file: string;
  readonly samples: number | undefined;
  readonly opset: number;
  readonly complain: Complain;
  /** Counts the bytes of constants that are made. */
  readonly take: ReturnType<typeof allowance>;
  /** Names of layers. */
  readonly names: Set<string>;
  readonly shared: Map<string, unknown>;
  readonly later: (() => void)[];
  /** The arrays of those that were counted. */
  readonly constants: Set<object>;
  turnSamples(name: string): void;
}

export class Scope implements Reading {
  readonly #graph: GraphProto;
  readonly #whole: Whole;
  readonly #around: Scope | undefined;
  readonly #values: Map<string, Given>;
  readonly #users = new Map<string, NodeProto[]>();
  readonly #makers = new Map<string, NodeProto>();
  readonly #outputs: ReadonlySet<string>;
  readonly #skipped = new Set<NodeProto>();

  constructor(graph: GraphProto, whole: Whole, values: ReadonlyMap<string, Given>, around?: Scope) {
    this.#graph = graph;
    this.#whole = whole;
    this.#around = around;
    this.#values = new Map(values);
    this.#outputs = new Set(graph.output.map(({ name }) => name));
    for (const node of graph.node) {
      for (const name of namesRead(node)) {
        const users = this.#users.get(name);
        if (users) users.push(node);
        else this.#users.set(name, [node]);
      }
      for (const name of node.output) if (name !== "") this.#makers.set(name, node);
    }
  }

  set(name: string, value: Given): void {
    this.#values.set(name, value);
  }

  run(): void {
    for (const node of this.#graph.node) if (!this.#skipped.has(node)) this.#run(node);
  }

  #run(node: NodeProto): void {
    const call = new Call(node, this);
    const { opType, domain } = node;
    if (domain !== "" && domain !== "ai.onnx")
      call.refuse("an operator of ONNX", `one of domain '${domain}'`);
    const operator = Object.hasOwn(OPERATORS, opType) ? OPERATORS[opType] : undefined;
    if (!operator)
      call.refuse(
        "an operator that layers or ops.* can express",
        `${opType}${REASONS[opType] ? `, ${REASONS[opType]}` : ""}`,
      );
    const outputs = call.guarded(() => this.#inVoice(call, () => operator!(call)));
    for (const value of outputs) this.#inVoice(call, () => this.#count(value));
    this.#give(node, outputs);
  }

  /** What a layer or an operation refuses is told with the node. */
  #inVoice<T>(call: Call, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof UnreelError) || error.operation.includes(call.place)) throw error;
      const { operation, expected, got, hint } = error;
      const { file } = this.#whole;
      if (operation.startsWith(`${file}: `)) {
        // Of a node in the graph inside this one: it has told its place.
        const inside = operation.slice(file.length + 2);
        throw new UnreelError({ operation: `${file}: ${call.place}: ${inside}`, expected, got, hint });
      }
      return call.refuse(`${operation}: ${expected}`, got, hint);
    }
  }

  #give(node: NodeProto, outputs: readonly Given[]): void {
    node.output.forEach((name, k) => {
      if (name === "") return;
      const value = outputs[k];
      if (value !== undefined) this.#values.set(name, value);
      else if (this.isUsed(name))
        new Call(node, this).refuse(`${outputs.length} outputs`, `output ${k}, '${name}', in use`);
    });
  }

  /** Each array is bounded where it is made; here all of them together are. What shares an array costs nothing. */
  #count(value: Given | undefined): void {
    const { constants, take } = this.#whole;
    if (!isKnown(value) || constants.has(value.data)) return;
    constants.add(value.data);
    take("constants", value.data.byteLength);
  }

  // --------------------------------------------------------------------------------------------------------- for nodes

  value(name: string): Given {
    const found =
      this.#values.get(name) ?? (this.#around?.isReady(name) ? this.#around.value(name) : undefined);
    if (found !== undefined) return found;
    // The node that asks for it stands before it.
    throw new UnreelError({
      operation: `value '${name}'`,
      expected: "a node before that makes it",
      got: "none",
    });
  }

  isReady(name: string): boolean {
    return this.#values.has(name) || (this.#around?.isReady(name) ?? false);
  }

  isUsed(name: string): boolean {
    return this.#users.has(name) || this.#outputs.has(name);
  }

  usersOf(name: string): readonly NodeProto[] {
    return this.#outputs.has(name) ? [] : (this.#users.get(name) ?? []);
  }

  onlyUser(name: string): NodeProto | undefined {
    const users = this.usersOf(name);
    return users.length === 1 ? users[0] : undefined;
  }

  unique(base: string): string {
    let name = base;
    const { names } = this.#whole;
    for (let k = 1; names.has(name); k++) name = `${base}_${k}`;
    names.add(name);
    return name;
  }

  shared<T>(key: string, make: () => T): T {
    const { shared } = this.#whole;
    if (!shared.has(key)) shared.set(key, make());
    return shared.get(key) as T;
  }

  later(act: () => void): void {
    this.#whole.later.push(act);
  }

  turnSamples(name: string): void {
    // Inside a node samples lie as the node gives them.
    if (!this.#around) this.#whole.turnSamples(name);
  }

  skip(node: NodeProto, outputs: readonly Given[]): void {
    this.#skipped.add(node);
    this.#give(node, outputs);
  }

  inside(place: string, graph: GraphProto, values: ReadonlyMap<string, Given>): Given[] {
    const known = graph.initializer.map((tensor, k): [string, Given] => [
      tensor.name,
      readTensor(tensor, `${place}: initializer '${tensor.name || k}'`, this.complain),
    ]);
    const scope = new Scope(graph, this.#whole, new Map([...known, ...values]), this);
    scope.run();
    return graph.output.map(({ name }) => scope.value(name));
  }

  /** A value, and all that it is made of. */
  namesBehind(name: string): Set<string> {
    const seen = new Set<string>();
    const stack = [name];
    for (let each = stack.pop(); each !== undefined; each = stack.pop()) {
      if (seen.has(each)) continue;
      seen.add(each);
      const maker = this.#makers.get(each);
      if (maker) stack.push(...namesRead(maker));
    }
    return seen;
  }

  get opset(): number {
    return this.#whole.opset;
  }

  get samples(): number | undefined {
    return this.#whole.samples;
  }

  get complain(): Complain {
    return this.#whole.complain;
  }
}
