// The kernels alone: products, recurrences, and what goes element by element. They run on memory of their own.

import { GEMM_SCRATCH_BYTES } from "../src/ops/gemm.js";
import { type Build, type Kernel, loadKernels } from "../src/wasm/kernels.js";
import { roundUp } from "../src/wasm/memory.js";
import { type Effort, figures, measure, Table } from "./measure.js";
import { type GemmShape, gatesOf, type ModelShape, nameOf, shapes } from "./shapes.js";

interface Setting {
  build: Build;
  effort: Effort;
  wanted(name: string): boolean;
}

/** The kernels and a bump allocator over their memory. */
class Bench {
  readonly kernels: Readonly<Record<string, Kernel>>;
  readonly #memory: WebAssembly.Memory;
  readonly #start: number;
  #next: number;

  constructor({ functions, memory, heapBase }: Awaited<ReturnType<typeof loadKernels>>) {
    this.kernels = functions;
    this.#memory = memory;
    this.#start = roundUp(heapBase, 64);
    this.#next = this.#start;
  }

  reset(): void {
    this.#next = this.#start;
  }

  /** The address of `words` numbers of 32 bits, filled by `value`: by default from a fixed sequence in [-1, 1). */
  words(words: number, value?: (index: number) => number, integers = false): number {
    const address = this.#next;
    this.#next = roundUp(address + words * 4 + 64, 64);
    const missing = this.#next - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / 65536));
    const view = this.view(address, words, integers);
    let state = 12345;
    for (let index = 0; index < words; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      view[index] = value ? value(index) : state / 2 ** 31;
    }
    return address;
  }

  view(address: number, words: number, integers = false): Float32Array | Int32Array {
    return new (integers ? Int32Array : Float32Array)(this.#memory.buffer, address, words);
  }
}

export async function benchKernels(setting: Setting): Promise<void> {
  const bench = new Bench(await loadKernels(setting.build));
  products(bench, setting);
  sequences(bench, setting);
  elements(bench, setting);
}

function products(bench: Bench, { effort, wanted }: Setting): void {
  const { gemmNN, gemmNT, gemmTN, gemmPacked, packB } = bench.kernels;
  const variants: [string, (shape: GemmShape, c: number, a: number, b: number, scratch: number) => void][] = [
    ["gemmNN", ({ m, n, k }, c, a, b, scratch) => gemmNN(c, n, a, k, b, n, 0, m, n, k, 0, scratch)],
    ["gemmNT", ({ m, n, k }, c, a, b, scratch) => gemmNT(c, n, a, k, b, k, 0, m, n, k, 0, scratch)],
    ["gemmTN", ({ m, n, k }, c, a, b, scratch) => gemmTN(c, n, a, m, b, n, 0, m, n, k, 0, scratch)],
    ["gemmPacked", ({ m, n, k }, c, a, b, scratch) => gemmPacked(c, n, a, k, b, 0, m, n, k, 0, scratch)],
  ];
  const rows = shapes.gemm.flatMap((shape) => variants.map(([name, run]) => ({ name, run, shape })));
  const chosen = rows.filter(({ name, shape }) => wanted(gemmName(name, shape)));
  if (chosen.length === 0) return;
  const table = new Table("Products, M x N x K", ["kernel", "ms", "GFLOP/s", "best"]);
  for (const { name, run, shape } of chosen) {
    const { m, n, k } = shape;
    bench.reset();
    const c = bench.words(m * n);
    const a = bench.words(m * k);
    let b = bench.words(k * n);
    const scratch = bench.words(GEMM_SCRATCH_BYTES / 4);
    if (name === "gemmPacked") {
      const packed = bench.words(k * roundUp(n, 16));
      packB(packed, b, n, k, n);
      b = packed;
    }
    const { median, best } = measure(() => run(shape, c, a, b, scratch), effort);
    const rate = (ms: number) => figures((2 * m * n * k) / ms / 1e6);
    table.row([gemmName(name, shape), figures(median), rate(median), rate(best)]);
  }
}

function gemmName(kernel: string, { m, n, k }: GemmShape): string {
  return `${kernel} ${m}x${n}x${k}`;
}

/** The recurrences without x·W: what depends on the state before. */
function sequences(bench: Bench, { effort, wanted }: Setting): void {
  const seen = new Set<string>();
  const rows = [...shapes.inference, ...shapes.training].filter((shape) => {
    const name = sequenceName(shape);
    if (seen.has(name) || !(wanted(name) || wanted(`${name} backward`))) return false;
    seen.add(name);
    return true;
  });
  if (rows.length === 0) return;
  const table = new Table("Recurrences (without the input's product)", ["kernel", "ms", "GFLOP/s", "best"]);
  for (const shape of rows) {
    const { cell, batch: B, steps: T, units: H, resetAfter = true } = shape;
    bench.reset();
    const G = gatesOf[cell];
    const size = T * B * G * H;
    // As large as weights at the start of training: with smaller ones the gradient falls into slow denormal numbers.
    const small = () => (Math.random() - 0.5) * 2 * Math.sqrt(3 / H);
    const gates = bench.words(size);
    const [fresh, recurrent] = [bench.words(size), bench.words(G * H * H, small)];
    const hidden = bench.words((T + 1) * B * H, () => 0);
    const cells = bench.words((T + 1) * B * H, () => 0);
    const inner = bench.words(T * B * H);
    const [dhidden, dcell] = [bench.words(B * H, small), bench.words(B * H, small)];
    const scratch = bench.words(G * H * roundUp(H, 16) + 5 * roundUp(B * H, 4) + 8 * H + 1024);
    const bias = bench.words(G * H, small);
    const after = resetAfter ? 1 : 0;
    const { kernels } = bench;
    const run = {
      simpleRNN: () => kernels.simpleSequence(hidden, gates, recurrent, 0, 0, T, B, H, scratch),
      lstm: () => kernels.lstmSequence(hidden, cells, gates, recurrent, 0, 0, T, B, H, scratch),
      gru: () => kernels.gruSequence(hidden, gates, inner, recurrent, bias, 0, 0, T, B, H, after, scratch),
    }[cell];
    const back = {
      simpleRNN: () =>
        kernels.simpleSequenceBackward(gates, dhidden, 0, hidden, recurrent, 0, 0, T, B, H, scratch),
      lstm: () =>
        kernels.lstmSequenceBackward(gates, dhidden, dcell, 0, cells, recurrent, 0, 0, T, B, H, scratch),
      gru: () =>
        kernels.gruSequenceBackward(
          gates,
          inner,
          dhidden,
          0,
          hidden,
          recurrent,
          0,
          0,
          T,
          B,
          H,
          after,
          scratch,
        ),
    }[cell];
    const restore = (from: Float32Array | Int32Array) => () => bench.view(gates, size).set(from);
    const line = (name: string, { median, best }: { median: number; best: number }) => {
      const rate = (ms: number) => figures((2 * size * H) / ms / 1e6);
      table.row([name, figures(median), rate(median), rate(best)]);
    };
    line(sequenceName(shape), measure(run, effort, restore(bench.view(fresh, size))));
    // Backward starts from what forward left: activated gates, inner products, and a gradient of the last state.
    const after1 = bench.view(gates, size).slice();
    const inner1 = bench.view(inner, T * B * H).slice();
    const gradient = bench.view(dhidden, B * H).slice();
    line(
      `${sequenceName(shape)} backward`,
      measure(back, effort, () => {
        bench.view(gates, size).set(after1);
        bench.view(inner, T * B * H).set(inner1);
        bench.view(dhidden, B * H).set(gradient);
        bench.view(dcell, B * H).set(gradient);
      }),
    );
  }
}

function sequenceName({ inputs: _, vocabulary: __, ...shape }: ModelShape): string {
  return nameOf({ ...shape, inputs: 0 }).replace(" I0", "");
}

function elements(bench: Bench, { effort, wanted }: Setting): void {
  const { kernels } = bench;
  const DIM = 32;
  const COLUMNS = 64;
  const ids = (index: number) => Math.imul(index, 2654435761) >>> 0;
  const hyper = [0.001, 0.001];
  /** Bytes an element: what has to be read and written at the least. */
  const rows: { name: string; bytes: number; make(n: number): () => void }[] = [
    ...["tanh", "sigmoid", "exponential"].map((name) => ({
      name,
      bytes: 8,
      make(n: number) {
        const [out, x] = [bench.words(n), bench.words(n, (index) => ((index * 37) % 101) / 10 - 5)];
        return () => void kernels[name](out, x, n);
      },
    })),
    {
      name: `softmax, rows of ${COLUMNS}`,
      bytes: 8,
      make(n) {
        const [out, x] = [bench.words(n), bench.words(n)];
        return () => void kernels.softmax(out, x, n / COLUMNS, COLUMNS);
      },
    },
    ...(["embeddingGather", "embeddingScatterAdd"] as const).map((name) => ({
      name: `${name}, ${DIM} of 10000`,
      bytes: name === "embeddingGather" ? 8 : 12,
      make(n: number) {
        const table = bench.words(10000 * DIM);
        const block = bench.words(n);
        const which = bench.words(n / DIM, (index) => ids(index) % 10000, true);
        return name === "embeddingGather"
          ? () => void kernels[name](block, which, table, n / DIM, DIM, 10000)
          : () => void kernels[name](table, block, which, n / DIM, DIM, 10000, 0, 0, 0, 1);
      },
    })),
    {
      name: "adam",
      bytes: 28,
      make(n) {
        const [w, m, g] = [bench.words(n), bench.words(n), bench.words(n)];
        const v = bench.words(n, () => 0.01);
        const settings = bench.words(16, (index) => hyper[index] ?? 0);
        return () => void kernels.adam(w, m, v, 0, g, n, settings, 0.9, 0.999, 1e-7, 0);
      },
    },
    {
      name: "dropout",
      bytes: 8,
      make(n) {
        const [out, x, seed] = [bench.words(n), bench.words(n), bench.words(2, (index) => index, true)];
        return () => void kernels.dropout(out, x, n, 0.5, seed, 0);
      },
    },
  ];
  const chosen = rows.flatMap((row) =>
    shapes.elements.map(({ n }) => ({ ...row, n, title: `${row.name}, n = ${n}` })),
  );
  const shown = chosen.filter(({ title }) => wanted(title));
  if (shown.length === 0) return;
  const table = new Table("Element by element", ["kernel", "ms", "Gelem/s", "GB/s"]);
  for (const { title, bytes, make, n } of shown) {
    bench.reset();
    const { median } = measure(make(n), effort);
    table.row([title, figures(median), figures(n / median / 1e6), figures((n * bytes) / median / 1e6)]);
  }
}
