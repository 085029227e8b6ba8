// The report of a run: one HTML file that needs nothing else, light or dark as the reader's system is. Figures, learning curves,
// a confusion matrix, the model. Not here: what stands in it (task.ts, and the tasks themselves).
import { writeFileSync } from "node:fs";
import { type Chart, escapeText, lineChart } from "./chart.js";

/** A number that a task ends with. With a goal, the task fails where it is missed. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** How often what is `labels[row]` was taken for `labels[column]`. */
export interface Confusion {
  readonly labels: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

export interface Report {
  readonly task: string;
  readonly about: string;
  readonly command: string;
  /** Where and when: date, engine, time taken. */
  readonly facts: readonly string[];
  readonly figures: readonly Figure[];
  readonly charts: readonly Chart[];
  readonly confusion?: Confusion;
  /** What the model said, and tables of its layers: as they stand on the terminal. */
  readonly texts: readonly { readonly title: string; readonly text: string }[];
}

export function isMissed({ value, atLeast, atMost }: Figure): boolean {
  // Not the other way round: NaN misses every goal.
  return !(value >= (atLeast ?? value) && value <= (atMost ?? value));
}

/** "0.9932", "3.1e-7", "9.40 us". */
export function showFigure({ value, unit }: Pick<Figure, "value" | "unit">): string {
  const small = value !== 0 && Math.abs(value) < 1e-3;
  const fraction = Math.abs(value) >= 100 ? value.toFixed(0) : unit ? value.toPrecision(3) : value.toFixed(4);
  const digits = Number.isInteger(value) ? `${value}` : fraction;
  return `${small ? value.toExponential(1) : digits}${unit ? ` ${unit}` : ""}`;
}

/** "at least 0.99", or nothing. */
export function showGoal({ atLeast, atMost, unit }: Figure): string {
  const bounds = [
    atLeast === undefined ? "" : `at least ${showFigure({ value: atLeast, unit })}`,
    atMost === undefined ? "" : `at most ${showFigure({ value: atMost, unit })}`,
  ];
  return bounds.filter(Boolean).join(", ");
}

/** Counts of targets and predictions, class numbers each. */
export function confusionOf(
  labels: readonly string[],
  targets: ArrayLike<number>,
  predictions: ArrayLike<number>,
): Confusion {
  const counts = labels.map(() => labels.map(() => 0));
  for (let i = 0; i < targets.length; i++) counts[targets[i]][predictions[i]]++;
  return { labels, counts };
}

export function writeReport(file: string, report: Report): void {
  writeFileSync(file, page(report));
}

const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --soft: #667080; --grid: #dfe3e8; --page: #ffffff; --miss: #b3261e;
  --line-0: #1f6fb4; --line-1: #c4560a; --line-2: #2b8a3e; --line-3: #8a3ffc; --band: #f3c6c3; --cell: 31, 111, 180; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --soft: #98a2b0; --grid: #323840; --page: #16191d; --miss: #ff8a80;
  --line-0: #6cb2f0; --line-1: #f2a65a; --line-2: #6fcf85; --line-3: #c4a1ff; --band: #5c2b2b; --cell: 108, 178, 240; } }
body { margin: 2rem auto; max-width: 44rem; padding: 0 1rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
p, caption { color: var(--soft); } caption { caption-side: bottom; text-align: left; padding-top: .4rem; }
table { border-collapse: collapse; } td, th { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--grid); }
td:first-child, th:first-child { text-align: left; } .missed { color: var(--miss); font-weight: 600; }
pre { overflow-x: auto; font-size: 12.5px; line-height: 1.35; } svg { width: 100%; height: auto; margin-top: 1rem; }
svg text { fill: var(--soft); font-size: 12px; } svg .title { fill: var(--text); font-size: 14px; font-weight: 600; }
.grid { stroke: var(--grid); } .band { fill: var(--band); } path { fill: none; stroke-width: 2; stroke-linejoin: round; }
${[0, 1, 2, 3].map((i) => `.line-${i} path { stroke: var(--line-${i}); } .line-${i} circle, .line-${i} text { fill: var(--line-${i}); }`).join("\n")}
`;

export function page({ task, about, command, facts, figures, charts, confusion, texts }: Report): string {
  const rows = figures.map((figure) => {
    const missed = isMissed(figure);
    const value = `<td${missed ? ' class="missed"' : ""}>${showFigure(figure)}${missed ? " (missed)" : ""}</td>`;
    return `<tr><td>${escapeText(figure.name)}</td>${value}<td>${showGoal(figure)}</td></tr>`;
  });
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escapeText(task)}</title><style>${STYLE}</style></head><body>`,
    `<h1>${escapeText(task)}</h1><p>${escapeText(about)}</p>`,
    `<table><tr><th>figure</th><th>reached</th><th>must reach</th></tr>${rows.join("")}</table>`,
    ...(charts.length > 0 ? ["<h2>Curves</h2>", ...charts.map(lineChart)] : []),
    ...(confusion ? ["<h2>Confusion</h2>", matrix(confusion)] : []),
    ...texts.map(({ title, text }) => `<h2>${escapeText(title)}</h2><pre>${escapeText(text)}</pre>`),
    `<h2>Run</h2><pre>${escapeText(command)}</pre><p>${facts.map(escapeText).join(" · ")}</p>`,
    "</body></html>",
    "",
  ].join("\n");
}

/** Shaded by each row's shares. */
function matrix({ labels, counts }: Confusion): string {
  const head = labels.map((label) => `<th>${escapeText(label)}</th>`).join("");
  const rows = counts.map((row, i) => {
    const sum = row.reduce((a, b) => a + b, 0) || 1;
    const cells = row.map(
      (count) =>
        `<td style="background: rgba(var(--cell), ${((0.7 * count) / sum).toFixed(3)})">${count}</td>`,
    );
    return `<tr><th>${escapeText(labels[i])}</th>${cells.join("")}</tr>`;
  });
  const caption = "<caption>Rows: what it is. Columns: what it was taken for.</caption>";
  return `<table>${caption}<tr><th></th>${head}</tr>${rows.join("")}</table>`;
}
