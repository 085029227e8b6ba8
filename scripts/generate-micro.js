// Writes assembly/micro.ts and assembly/microWide.ts: the unrolled micro-kernels of the matrix product. Why a generator: the
// immediate offset of a load cannot be a parameter of an inlined function, so each tile must be spelled out.
//
//   node scripts/generate-micro.js            write the files
//   node scripts/generate-micro.js --check    exit 1 if the committed files are not what this script writes
//
// Not here: packing, blocking, choice of tile (assembly/gemm.ts).

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(`../assembly/${name}.ts`, import.meta.url));

/**
 * Rows x panels; T: A transposed. V8 leaves 15 vector registers: accumulators + one pair of B + a splat (+ a product). In the wide build
 * each register of the machine holds a pair of vectors: as many rows of twice as many columns.
 */
const tiles = [
  [1, 1],
  [1, 4],
  [2, 1],
  [2, 2],
  [3, 1],
  [4, 1],
  [5, 1],
  [6, 1],
  [1, 1, "T"],
  [2, 1, "T"],
  [3, 1, "T"],
  [4, 1, "T"],
  [5, 1, "T"],
  [6, 1, "T"],
];

/** The largest tile of the plain build, which needs a register more for each product. */
const PLAIN_ROWS = 4;

const range = (n) => Array.from({ length: n }, (_, i) => i);

/** Vectors of a panel by name. */
const NAMES = ["x", "y", "z", "w"];

function step(rows, panels, form, names) {
  const lines = [];
  for (const p of range(panels)) {
    names.forEach((v, i) => {
      lines.push(`${v} = v128.load(b${p}${i ? `, ${16 * i}` : ""});`);
    });
    for (const r of range(rows)) {
      lines.push(form ? `s = v128.load32_splat(a, ${4 * r});` : `s = v128.load32_splat(a${r});`);
      for (const v of names) lines.push(`${v}${r}${p} = madd(s, ${v}, ${v}${r}${p});`);
    }
  }
  for (const p of range(panels)) lines.push(`b${p} += ldb;`);
  return lines;
}

function tile([rows, panels, form = ""], width) {
  const R = range(rows);
  const P = range(panels);
  const names = NAMES.slice(0, width / 4);
  const V = names.map((v, i) => [v, 16 * i]);
  const at = (p, offset) => 4 * width * p + offset;
  const each = (f) => R.flatMap((r) => P.map((p) => f(r, p)));
  const out = [];
  const put = (depth, ...lines) => out.push(...lines.map((l) => "  ".repeat(depth) + l));
  put(0, `/** ${rows} x ${width * panels}${form && ", A given as [K,M]"} */`);
  put(0, `export function tile${rows}x${width * panels}${form}(`);
  const panel = panels > 1 ? "panel: usize, " : "";
  put(1, "c: usize, ldc: usize, a: usize, lda: usize, b: usize, ldb: usize,");
  put(1, `${panel}bias: usize, K: i32, accumulate: i32,`);
  put(0, "): void {");
  put(1, `let ${["s", ...names].map((v) => `${v}: v128`).join(", ")};`);
  if (!form) for (const r of R) put(1, r ? `let a${r} = a${r - 1} + lda;` : "let a0 = a;");
  for (const p of P) put(1, p ? `let b${p} = b${p - 1} + panel;` : "let b0 = b;");
  put(1, ...each((r, p) => `let ${names.map((v) => `${v}${r}${p} = f32x4.splat(0)`).join(", ")};`));
  put(1, "let k = K;", "if (k > 0) {");
  put(2, "do {");
  put(3, ...step(rows, panels, form, names));
  put(3, ...(form ? ["a += lda;"] : R.map((r) => `a${r} += 4;`)));
  put(2, "} while (--k);");
  put(1, "}");
  put(1, "if (bias) {");
  for (const p of P) {
    for (const [v, offset] of V) put(2, `${v} = v128.load(bias, ${at(p, offset)});`);
    for (const r of R) for (const v of names) put(2, `${v}${r}${p} = f32x4.add(${v}${r}${p}, ${v});`);
  }
  put(1, "}");
  put(1, "if (accumulate) {", "  let d = c;");
  for (const r of R) {
    for (const p of P)
      for (const [v, offset] of V)
        put(2, `${v}${r}${p} = f32x4.add(${v}${r}${p}, v128.load(d, ${at(p, offset)}));`);
    if (r + 1 < rows) put(2, "d += ldc;");
  }
  put(1, "}");
  for (const r of R) {
    for (const p of P) for (const [v, offset] of V) put(1, `v128.store(c, ${v}${r}${p}, ${at(p, offset)});`);
    if (r + 1 < rows) put(1, "c += ldc;");
  }
  put(0, "}", "");
  return out.join("\n");
}

function choose(form, width) {
  const most = Math.max(...tiles.map(([rows]) => rows));
  const call = (rows) => `tile${rows}x${width}${form}(c, ldc, a, lda, b, ldb, bias, K, accumulate);`;
  const cases = range(PLAIN_ROWS - 1).map((i) => `    case ${i + 1}:\n      ${call(i + 1)}\n      break;`);
  const relaxed = range(most - PLAIN_ROWS).map(
    (i) => `      if (rows == ${PLAIN_ROWS + i + 1}) ${call(PLAIN_ROWS + i + 1)}`,
  );
  return `/** The tile of 1 to ${most} rows (plain build: 1 to ${PLAIN_ROWS}). */
export function tile${form}(
  rows: i32, c: usize, ldc: usize, a: usize, lda: usize, b: usize, ldb: usize,
  bias: usize, K: i32, accumulate: i32,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (rows > ${PLAIN_ROWS}) {
${relaxed.join("\n")}
      return;
    }
  }
  switch (rows) {
${cases.join("\n")}
    default:
      ${call(PLAIN_ROWS)}
  }
}
`;
}

function file(width, about) {
  const header = `// Micro-kernels of the matrix product: one tile of C held in registers over the whole of K${about}.
// Generated by scripts/generate-micro.js: change that, not this. Not here: packing, blocking, tails (gemm.ts).
//
// tileRxC: C[R,C] = (accumulate ? C : 0) + A[R,K] B[K,C] (+ bias[C] unless bias = 0). ldc, lda, ldb are in bytes: from a
// row to the next, ldb also from one k to the next inside a panel; \`panel\` is from ${width} columns of B to the next ${width}. So B may
// be packed (ldb ${4 * width}, panel ${4 * width} K) or lie as a plain row-major matrix (panel ${4 * width}). All of C, A, B, bias is read or written
// exactly, nothing beyond. The sums run over k in ascending order. tileRxCT: the same for A given as [K,R].

import { madd } from "./simd";

`;
  return (
    header + [...tiles.map((shape) => tile(shape, width)), choose("", width), choose("T", width)].join("\n")
  );
}

const files = {
  micro: file(8, ""),
  microWide: file(
    16,
    ",\n// in panels of 16 columns for engines that join pairs of vectors (the wide build)",
  ),
};

for (const [name, text] of Object.entries(files)) {
  if (!process.argv.includes("--check")) {
    writeFileSync(path(name), text);
    continue;
  }
  let committed = "";
  try {
    committed = readFileSync(path(name), "utf8");
  } catch {}
  if (committed !== text) {
    console.error(
      `assembly/${name}.ts differs from what scripts/generate-micro.js writes: run the script, commit both`,
    );
    process.exit(1);
  }
}
