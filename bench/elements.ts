// Calls of the kernels that are no products: functions, losses, embeddings, optimizers, and what only moves numbers.
import type { KernelCall, KernelMemory, KernelRow } from "./kernelMemory.js";

const EXP = 25;
const TANH = 26;
const SIGMOID = 27;
/** Threefry: 20 rounds of five operations and what lies between, for eight numbers in two vectors; then scale and choose. */
const DROPOUT = 66;

/** [rows, columns] numbers each; where only their count matters, columns = 1. */
export function elements(rows: number, columns: number): KernelRow[] {
  const n = rows * columns;
  return [
    ...functions(n),
    ...losses(rows, columns),
    simple("accumulate", n, 1, 12, ({ accumulate }, out, x) => accumulate(out, x, n)),
    simple("multiply", n, 1, 12, ({ multiply }, out, x) => multiply(out, x, x, n)),
    simple("fill", n, 0, 4, ({ fill }, out) => fill(out, 0, n)),
    adam(n),
    simple("dropout", n, DROPOUT, 8, ({ dropout }, out, x, seed) => dropout(out, x, 1, n, 0, 0.5, seed, 0)),
    simple("dropoutBackward", n, DROPOUT + 1, 12, ({ dropoutBackward }, out, x, seed) =>
      dropoutBackward(out, x, 1, n, 0, 0.5, seed, 0),
    ),
  ];
}

/** Gather and scatter of `ids` rows of `width` numbers, from a table of `vocabulary`. */
export function embedding(ids: number, width: number, vocabulary: number): KernelRow[] {
  const n = ids * width;
  const call = (
    kernel: "embeddingGather" | "embeddingScatterAdd",
    bytes: number,
    flops: number,
  ): KernelRow => ({
    name: `${kernel} ${ids} of ${vocabulary}x${width}`,
    make(memory) {
      const { embeddingGather, embeddingScatterAdd } = memory.kernels;
      const [table, block] = [memory.words(vocabulary * width), memory.words(n)];
      const which = memory.words(ids, (index) => (Math.imul(index, 2654435761) >>> 0) % vocabulary, true);
      const run =
        kernel === "embeddingGather"
          ? () => embeddingGather(block, which, table, ids, width, vocabulary)
          : () => embeddingScatterAdd(table, block, which, ids, width, vocabulary, 0, 0, 0, 1);
      const footprint = 4 * (n + ids + Math.min(ids, vocabulary) * width);
      return { run, flops: n * flops, bytes: n * bytes + 4 * ids, footprint };
    },
  });
  return [call("embeddingGather", 8, 0), call("embeddingScatterAdd", 12, 1)];
}

/** [B, T, inner] to [T, B, inner]. */
export function transpose(batch: number, steps: number, inner: number): KernelRow {
  const n = batch * steps * inner;
  const name = `transpose ${batch}x${steps}x${inner}`;
  return named(name, n, 0, 8, ({ transpose }, out, x) => transpose(out, x, batch, steps, inner));
}

export function sumColumns(rows: number, columns: number): KernelRow {
  const name = `sumColumns ${rows}x${columns}`;
  return named(name, rows * columns, 1, 4, ({ sumColumns }, out, x) => sumColumns(out, x, rows, columns));
}

function functions(n: number): KernelRow[] {
  return [
    simple("tanh", n, TANH, 8, ({ tanh }, out, x) => tanh(out, x, n)),
    simple("sigmoid", n, SIGMOID, 8, ({ sigmoid }, out, x) => sigmoid(out, x, n)),
    simple("exponential", n, EXP, 8, ({ exponential }, out, x) => exponential(out, x, n)),
  ];
}

function losses(rows: number, columns: number): KernelRow[] {
  if (columns === 1) return [];
  const n = rows * columns;
  const shape = `${rows}x${columns}`;
  const over = (memory: KernelMemory) => ({
    out: memory.words(n),
    x: memory.words(n, (index) => 0.01 + ((index * 37) % 101) / 101),
    labels: memory.words(rows, (index) => (index * 7) % columns, true),
    sums: memory.words(rows),
  });
  const row = (name: string, flops: number, bytes: number, call: (memory: KernelMemory) => () => void) => ({
    name: `${name} ${shape}`,
    make: (memory: KernelMemory): KernelCall => ({
      run: call(memory),
      flops: n * flops,
      bytes: n * bytes,
      footprint: n * Math.min(bytes, 8),
    }),
  });
  return [
    row("softmax", EXP + 4, 8, (memory) => {
      const { out, x } = over(memory);
      return () => memory.kernels.softmax(out, x, rows, columns);
    }),
    row("softmaxBackward", 5, 16, (memory) => {
      const { out, x } = over(memory);
      return () => memory.kernels.softmaxBackward(out, x, x, rows, columns);
    }),
    row("sparseCategoricalCrossentropy", 1, 4, (memory) => {
      const { x, labels, sums } = over(memory);
      return () => memory.kernels.sparseCategoricalCrossentropy(sums, labels, x, rows, columns);
    }),
    row("sparseCategoricalCrossentropyBackward", 9, 12, (memory) => {
      const { out, x, labels, sums } = over(memory);
      return () => memory.kernels.sparseCategoricalCrossentropyBackward(out, sums, labels, x, rows, columns);
    }),
  ];
}

function adam(n: number): KernelRow {
  return {
    name: `adam ${n}`,
    make(memory) {
      const [w, m, g] = [memory.words(n), memory.words(n), memory.words(n)];
      const v = memory.words(n, () => 0.01);
      const settings = memory.words(16, (index) => (index < 2 ? 0.001 : 0));
      const run = () => memory.kernels.adam(w, m, v, 0, g, n, settings, 0.9, 0.999, 1e-7, 0);
      return { run, flops: 12 * n, bytes: 28 * n, footprint: 16 * n };
    },
  };
}

type Call = (kernels: KernelMemory["kernels"], out: number, x: number, seed: number) => void;

/** One block in, one out, of n numbers each; operations and bytes are those of one number. */
function named(name: string, n: number, flops: number, bytes: number, call: Call): KernelRow {
  return {
    name,
    make(memory) {
      const out = memory.words(n);
      const x = memory.words(n, (index) => ((index * 37) % 101) / 10 - 5);
      const seed = memory.words(4, (index) => index, true);
      const run = () => call(memory.kernels, out, x, seed);
      return { run, flops: n * flops, bytes: n * bytes, footprint: n * Math.min(bytes, 8) };
    },
  };
}

const simple = (name: string, n: number, flops: number, bytes: number, call: Call) =>
  named(`${name} ${n}`, n, flops, bytes, call);
