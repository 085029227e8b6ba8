// Which values the nodes of a graph read, those of graphs inside nodes too.
import type { GraphProto, NodeProto } from "./proto.js";

/** What a node reads, the nodes of graphs inside it too. */
export function namesRead(node: NodeProto): Set<string> {
  const graphs = node.attribute.flatMap(({ g }) => (g ? [g] : []));
  return new Set([
    ...node.input,
    ...(node.mask ? [node.mask] : []),
    ...graphs.flatMap((graph) => [...namesAround(graph)]),
  ]);
}

/** Values that a graph inside a node reads and does not make. */
export function namesAround(graph: GraphProto): Set<string> {
  const names = new Set([
    ...graph.node.flatMap((node) => [...namesRead(node)]),
    ...graph.output.map(({ name }) => name),
  ]);
  const own = [
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ];
  for (const name of ["", ...own]) names.delete(name);
  return names;
}
