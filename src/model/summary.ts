// The table that Keras prints of a model (keras/src/utils/summary_utils.py): layers, output shapes, parameters, for graphs that
// are no chain also what each layer is connected to, and totals. Columns are as wide as Keras', on a wide terminal.
import { dependencies, type Graph } from "../layers/graph.js";
import type { Layer } from "../layers/layer.js";
import { type LayerCall, showShape } from "../layers/symbolic.js";
import type { Weight } from "../layers/weight.js";

interface Column {
  readonly title: string;
  readonly width: number;
  readonly toRight?: boolean;
}

const CHAIN: readonly Column[] = [
  { title: "Layer (type)", width: 36 },
  { title: "Output Shape", width: 27 },
  { title: "Param #", width: 15, toRight: true },
];
const CONNECTED: readonly Column[] = [
  { title: "Layer (type)", width: 29 },
  { title: "Output Shape", width: 25 },
  { title: "Param #", width: 15, toRight: true },
  { title: "Connected to", width: 26 },
];

/** Bytes as Keras writes them: `1.23 MB`. */
function showBytes(parameters: number): string {
  let size = parameters * 4;
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${size.toFixed(2)} ${units[unit]}`;
}

const grouped = (n: number) => n.toLocaleString("en-US");

/** `sequential`: a model that was given as a list of layers; it does not show its input. */
export function summarize(name: string, graph: Graph, { sequential = false } = {}): string {
  const columns = sequential || isChain(graph) ? CHAIN : CONNECTED;
  const rows = graph.layers
    .filter((layer) => !sequential || layer.className !== "InputLayer")
    .map((layer) =>
      [
        `${layer.name} (${layer.className})`,
        showOutput(graph, layer),
        grouped(layer.countParams()),
        showConnections(graph, layer),
      ].slice(0, columns.length),
    );
  const line = (left: string, middle: string, right: string, dash: string) =>
    left + columns.map(({ width }) => dash.repeat(width + 2)).join(middle) + right;
  const cells = (row: readonly string[], bar: string) => {
    const wrapped = row.map((cell, column) => wrap(cell, columns[column].width));
    const height = Math.max(...wrapped.map((lines) => lines.length));
    return Array.from({ length: height }, (_, k) => {
      const padded = columns.map(({ width, toRight }, column) => {
        const text = wrapped[column][k] ?? "";
        return ` ${toRight ? text.padStart(width) : text.padEnd(width)} `;
      });
      return bar + padded.join(bar) + bar;
    }).join("\n");
  };
  const titles = columns.map(({ title }) => title);
  const body = rows.map((row) => cells(row, "│")).join(`\n${line("├", "┼", "┤", "─")}\n`);

  const count = (weights: readonly Weight[]) =>
    [...new Set(weights)].reduce((sum, weight) => sum + weight.size, 0);
  const total = count(graph.weights);
  const trainable = count(graph.layers.flatMap((layer) => layer.trainableWeights));
  const totals = { Total: total, Trainable: trainable, "Non-trainable": total - trainable };
  return [
    `Model: "${name}"`,
    line("┏", "┳", "┓", "━"),
    cells(titles, "┃"),
    line("┡", "╇", "┩", "━"),
    body,
    line("└", "┴", "┘", "─"),
    ...Object.entries(totals).map(([kind, n]) => ` ${kind} params: ${grouped(n)} (${showBytes(n)})`),
  ].join("\n");
}

/** Whether each layer is applied once, to one tensor, and one after the other. */
function isChain(graph: Graph): boolean {
  const applied = new Set(graph.calls.map(({ layer }) => layer));
  const feeding = graph.calls.map((call) => dependencies(call));
  const read = feeding.flat().map(({ source }) => source);
  return (
    graph.inputs.length === 1 &&
    applied.size === graph.calls.length &&
    feeding.every((tensors) => tensors.length <= 1) &&
    new Set(read).size === read.length
  );
}

/** Words on lines of so many characters; a word that is longer has a line of its own and ends in an ellipsis. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.match(/\S+\s*/g) ?? []) {
    const last = lines.length - 1;
    if (lines[last] === "" || lines[last].length + word.trimEnd().length <= width) lines[last] += word;
    else lines.push(word);
  }
  const trimmed = lines.map((each) => each.trimEnd());
  return trimmed.map((each) => (each.length > width ? `${each.slice(0, width - 1)}…` : each));
}

function callsOf(graph: Graph, layer: Layer): LayerCall[] {
  return graph.calls.filter((call) => call.layer === layer).sort((a, b) => a.index - b.index);
}

function showOutput(graph: Graph, layer: Layer): string {
  const { outputs } = callsOf(graph, layer).at(-1)!;
  const shapes = outputs.map(({ shape }) => showShape(shape));
  return shapes.length === 1 ? shapes[0] : `[${shapes.join(", ")}]`;
}

/** `lstm[0][2]`: the third output of the first application of `lstm`. */
function showConnections(graph: Graph, layer: Layer): string {
  const read = callsOf(graph, layer).flatMap(dependencies);
  return read.map(({ name, source, index }) => `${name}[${source.index}][${index}]`).join(", ") || "-";
}
