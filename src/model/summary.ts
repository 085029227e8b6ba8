// The table that Keras prints of a model: layers, output shapes, parameters, and their totals.
import type { Graph } from "../layers/graph.js";
import type { Layer } from "../layers/layer.js";
import { showShape } from "../layers/symbolic.js";
import type { Weight } from "../layers/weight.js";

const COLUMNS = ["Layer (type)", "Output Shape", "Param #"] as const;

/** Bytes as Keras writes them: `1.23 MB`. */
function showBytes(parameters: number): string {
  let size = parameters * 4;
  const units = ["B", "KB", "MB", "GB"];
  let unit = 0;
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${size.toFixed(2)} ${units[unit]}`;
}

const grouped = (n: number) => n.toLocaleString("en-US");

export function summarize(name: string, graph: Graph): string {
  const rows = graph.layers
    .filter((layer) => layer.className !== "InputLayer" || graph.inputs.length > 1)
    .map((layer) => [
      `${layer.name} (${layer.className})`,
      showOutput(graph, layer),
      grouped(layer.countParams()),
    ]);
  const widths = COLUMNS.map(
    (title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)) + 2,
  );
  const line = (left: string, middle: string, right: string, dash: string) =>
    left + widths.map((width) => dash.repeat(width)).join(middle) + right;
  const cells = (row: readonly string[], bar: string) => {
    const padded = row.map((cell, column) => {
      const room = widths[column] - 2;
      return ` ${column === 2 ? cell.padStart(room) : cell.padEnd(room)} `;
    });
    return bar + padded.join(bar) + bar;
  };
  const body = rows.map((row) => cells(row, "│")).join(`\n${line("├", "┼", "┤", "─")}\n`);

  const count = (weights: readonly Weight[]) =>
    [...new Set(weights)].reduce((sum, weight) => sum + weight.size, 0);
  const total = count(graph.weights);
  const trainable = count(graph.layers.flatMap((layer) => layer.trainableWeights));
  const totals = { Total: total, Trainable: trainable, "Non-trainable": total - trainable };
  return [
    `Model: "${name}"`,
    line("┏", "┳", "┓", "━"),
    cells(COLUMNS, "┃"),
    line("┡", "╇", "┩", "━"),
    body,
    line("└", "┴", "┘", "─"),
    ...Object.entries(totals).map(([kind, n]) => ` ${kind} params: ${grouped(n)} (${showBytes(n)})`),
  ].join("\n");
}

function showOutput(graph: Graph, layer: Layer): string {
  const { outputs } = graph.calls.find((call) => call.layer === layer)!;
  const shapes = outputs.map(({ shape }) => showShape(shape));
  return shapes.length === 1 ? shapes[0] : `[${shapes.join(", ")}]`;
}
