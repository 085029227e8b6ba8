// `node bench/picture/draw.js FILE`: bench/growth.svg from what growth.js --resume FILE has measured. Logarithmic on both axes: a
// time that grows with the size is a line as steep as the guide n.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { installBeside } from "../../scripts/install.js";

installBeside(import.meta.url, "d3-scale and d3-shape into bench/picture");
const { scaleLog } = await import("d3-scale");
const { line } = await import("d3-shape");

const WIDTH = 1040;
const HEIGHT = 430;
const PANEL = { top: 56, bottom: 360, width: 290 };
const PANELS = [
  { kind: "predict", title: "Inference, ms", left: 50 },
  { kind: "train", title: "Training step, ms", left: 570 },
];
const SERIES = ["T", "B", "H", "V"];
const LABEL_HEIGHT = 14;

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length !== 1) throw new Error("draw.js: one file, which growth.js has written");
const { setting, rows } = JSON.parse(readFileSync(positionals[0], "utf8"));
const series = PANELS.flatMap(({ kind }) =>
  SERIES.map((letter) => ({ kind, letter, ...find(kind, letter) })),
);
const times = series.flatMap(({ ms }) => ms);
const x = scaleLog([1, 16], [0, PANEL.width]);
const y = scaleLog([Math.min(...times) / 1.3, Math.max(...times) * 1.3], [PANEL.bottom, PANEL.top]);
const path = line(
  (point) => x(point[0]),
  (point) => y(point[1]),
);

writeFileSync(new URL("../growth.svg", import.meta.url), picture());
console.log("bench/growth.svg is drawn");

function find(kind, letter) {
  const entry = Object.entries(rows).find(([name]) => name.startsWith(`${kind} ${letter},`));
  if (!entry) throw new Error(`draw.js: ${positionals[0]} has no row '${kind} ${letter}'`);
  const [name, { sizes, ms }] = entry;
  return { label: name.slice(kind.length + 1), sizes, ms };
}

function picture() {
  const { node, machine, build, quick } = setting;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Time of a step against steps, batch, units and vocabulary">
<style>
  svg { --ink: #1f2328; --faint: #8b949e; --grid: #d8dee4; --paper: #ffffff; --T: #0969da; --B: #1a7f37; --H: #cf222e; --V: #8250df; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --faint: #8b949e; --grid: #30363d; --paper: #0d1117; --T: #58a6ff; --B: #3fb950; --H: #ff7b72; --V: #bc8cff; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 14px; font-weight: 600; }
  .faint { fill: var(--faint); }
  .grid { stroke: var(--grid); }
  .guide { stroke: var(--faint); stroke-dasharray: 4 4; fill: none; }
  .series { fill: none; stroke-width: 2; }
${SERIES.map((letter) => `  .${letter} { stroke: var(--${letter}); } circle.${letter} { fill: var(--${letter}); } text.${letter} { stroke: none; fill: var(--${letter}); }`).join("\n")}
</style>
<rect width="${WIDTH}" height="${HEIGHT}" fill="var(--paper)"/>
${PANELS.map(panel).join("\n")}
<text class="faint" x="${PANELS[0].left}" y="${HEIGHT - 28}">LSTM, B32 T100 I64 H64; over words I32 H32. Dashed: a time that grows as the size (n) and as its square (n²).</text>
<text class="faint" x="${PANELS[0].left}" y="${HEIGHT - 10}">${build} build, Node ${node}, ${machine}, one thread${quick ? ", --quick" : ""}</text>
</svg>
`;
}

function panel({ kind, title, left }) {
  const own = series.filter((each) => each.kind === kind);
  return `<g transform="translate(${left},0)">
<text class="title" y="${PANEL.top - 22}">${title}</text>
${ticks()}
${guides(own)}
${own.map(curve).join("\n")}
${labels(own)}
</g>`;
}

function ticks() {
  const across = y
    .ticks()
    .filter((value) => /^[125]/.test(String(value).replace(/^0\.0*/, "")))
    .map(
      (value) =>
        `<line class="grid" x1="0" x2="${PANEL.width}" y1="${round(y(value))}" y2="${round(y(value))}"/><text class="faint" x="-8" y="${round(y(value) + 4)}" text-anchor="end">${value}</text>`,
    );
  const down = [1, 2, 4, 8, 16].map(
    (value) =>
      `<text class="faint" x="${round(x(value))}" y="${PANEL.bottom + 18}" text-anchor="middle">×${value}</text>`,
  );
  return [...across, ...down].join("\n");
}

/** From the first point of T one as n, from that of H one as n². */
function guides(own) {
  const from = (letter) => own.find((each) => each.letter === letter).ms[0];
  return [
    { name: "n", start: from("T"), slope: 1 },
    { name: "n²", start: from("H"), slope: 2 },
  ]
    .map(({ name, start, slope }) => {
      const [, top] = y.domain();
      const end = Math.min(16, (top / start) ** (1 / slope));
      const points = [
        [1, start],
        [end, start * end ** slope],
      ];
      const at = end ** 0.6;
      return `<path class="guide" d="${path(points)}"/><text class="faint" x="${round(x(at) - 6)}" y="${round(y(start * at ** slope) - 5)}" text-anchor="end">${name}</text>`;
    })
    .join("\n");
}

function curve({ letter, sizes, ms }) {
  const points = ms.map((time, index) => [sizes[index] / sizes[0], time]);
  const dots = points.map(
    ([size, time]) => `<circle class="${letter}" cx="${round(x(size))}" cy="${round(y(time))}" r="2.5"/>`,
  );
  return `<path class="series ${letter}" d="${path(points)}"/>${dots.join("")}`;
}

/** Beside the ends of the lines, pushed down where they would meet. */
function labels(own) {
  let last = Number.NEGATIVE_INFINITY;
  return own
    .map(({ letter, label, sizes, ms }) => ({
      letter,
      text: `${label} ${sizes[0]}–${sizes.at(-1)}`,
      at: y(ms.at(-1)),
    }))
    .sort((a, b) => a.at - b.at)
    .map(({ letter, text, at }) => {
      last = Math.max(at, last + LABEL_HEIGHT);
      return `<text class="${letter}" x="${PANEL.width + 8}" y="${round(last + 4)}">${text}</text>`;
    })
    .join("\n");
}

function round(value) {
  return Math.round(value * 10) / 10;
}
