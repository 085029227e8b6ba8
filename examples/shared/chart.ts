// Line charts as SVG text: axes with round numbers, one path a line, names at the lines' ends. Colours are the page's (report.ts).
// Written here because d3-scale and d3-shape bring ten packages for what are two short functions: ticks and path.

export interface Line {
  readonly name: string;
  /** One number for each x, from the chart's first x on. What is not finite is left out. */
  readonly values: ArrayLike<number>;
}

export interface Chart {
  readonly title: string;
  /** What x counts: "epoch". */
  readonly x: string;
  /** Of the first values. Default 0. */
  readonly firstX?: number;
  /** At most four. */
  readonly lines: readonly Line[];
  /** Stretches of x, from and to, that stand out. */
  readonly bands?: readonly (readonly [number, number])[];
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 96;
const TOP = 34;
const BOTTOM = 36;

export function escapeText(text: string): string {
  const named: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (letter) => named[letter]);
}

/** About `count` round numbers between low and high: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * ([1, 2, 5].find((factor) => factor * decade >= rough * 0.999) ?? 10);
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

/** Where lines and bands go on and on, single points would lie closer than anyone can see: the extremes of each stretch are kept. */
const POINTS = 1200;

export function lineChart({ title, x, firstX = 0, lines, bands = [] }: Chart): string {
  const finite = lines.flatMap(({ values }) => Array.from(values).filter(Number.isFinite));
  const longest = Math.max(1, ...lines.map(({ values }) => values.length));
  let low = finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0);
  let high = finite.reduce((a, b) => Math.max(a, b), finite[0] ?? 1);
  // From zero where that is near, and never a chart without height.
  if (low > 0 && low < high / 2) low = 0;
  if (high === low) [low, high] = [low - 0.5, high + 0.5];
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const lastX = firstX + Math.max(1, longest - 1);
  const toX = (value: number) => LEFT + ((value - firstX) / (lastX - firstX)) * (right - LEFT);
  const toY = (value: number) => bottom - ((value - low) / (high - low)) * (bottom - TOP);
  const at = (number: number) => number.toFixed(1);

  const grid = ticks(low, high, 5).map(
    (tick) =>
      `<line class="grid" x1="${LEFT}" x2="${right}" y1="${at(toY(tick))}" y2="${at(toY(tick))}"/>` +
      `<text x="${LEFT - 8}" y="${at(toY(tick) + 4)}" text-anchor="end">${tick}</text>`,
  );
  const below = ticks(firstX, lastX, 8)
    .filter(Number.isInteger)
    .map((tick) => `<text x="${at(toX(tick))}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`);
  const stretches = bands.map(
    ([from, to]) =>
      `<rect class="band" x="${at(toX(from))}" width="${at(Math.max(1, toX(to) - toX(from)))}" y="${TOP}" height="${bottom - TOP}"/>`,
  );
  const ends = labelPlaces(
    lines.map(({ values }) => toY(lastFinite(values) ?? low)),
    bottom,
  );
  const drawn = lines.map(({ name, values }, index) => {
    const points = thin(values).map(([i, value]) => [at(toX(firstX + i)), at(toY(value))]);
    const [lastX, lastY] = points.at(-1) ?? [LEFT, bottom];
    const path = points.map(([x, y], k) => `${k === 0 ? "M" : "L"}${x} ${y}`).join("");
    return (
      `<g class="line-${index}"><path d="${path}"/><circle cx="${lastX}" cy="${lastY}" r="3"/>` +
      `<text x="${right + 8}" y="${at(ends[index] + 4)}">${escapeText(name)}</text></g>`
    );
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">`,
    `<text class="title" x="${LEFT}" y="18">${escapeText(title)}</text>`,
    ...stretches,
    ...grid,
    ...below,
    `<text x="${right}" y="${HEIGHT - 4}" text-anchor="end">${escapeText(x)}</text>`,
    ...drawn,
    "</svg>",
  ].join("\n");
}

function lastFinite(values: ArrayLike<number>): number | undefined {
  return Array.from(values).findLast(Number.isFinite);
}

/** Finite values with their places; of very many the smallest and the largest of each stretch. */
function thin(values: ArrayLike<number>): [number, number][] {
  const all = Array.from(values, (value, i): [number, number] => [i, value]).filter(([, value]) =>
    Number.isFinite(value),
  );
  if (all.length <= POINTS) return all;
  const stretch = Math.ceil((2 * all.length) / POINTS);
  const kept: [number, number][] = [];
  for (let start = 0; start < all.length; start += stretch) {
    const part = all.slice(start, start + stretch).sort(([, a], [, b]) => a - b);
    kept.push(...[part[0], part.at(-1)!].sort(([a], [b]) => a - b));
  }
  return kept;
}

/** Labels at these heights, moved apart where they would cover each other, and none below `lowest`. */
function labelPlaces(heights: readonly number[], lowest: number): number[] {
  const order = heights.map((_, i) => i).sort((a, b) => heights[b] - heights[a]);
  const placed = [...heights];
  let free = lowest;
  for (const i of order) {
    placed[i] = Math.min(placed[i], free);
    free = placed[i] - 14;
  }
  return placed;
}
