// Calls of the convolution's kernels, and the book's network for IMDB, call by call.
import { Executor } from "../src/graph/executor.js";
import { input } from "../src/layers/core.js";
import { makeGraph } from "../src/layers/graph.js";
import * as layers from "../src/layers/index.js";
import { GEMM_SCRATCH_BYTES, packedBytes } from "../src/ops/gemm.js";
import { callsOf } from "../src/program/program.js";
import { tensor } from "../src/tensor.js";
import { adam } from "../src/training/optimizers.js";
import { resolveLoss } from "../src/training/resolveLoss.js";
import { Steps } from "../src/training/step.js";
import type { KernelRow } from "./kernelMemory.js";
import { type Effort, figures, job, measure, median } from "./measure.js";
import { product } from "./products.js";
import type { Found, Section } from "./sections.js";

/** Batch, length, channels, filters, taps, stride. The first: the book's first convolution. */
const SHAPES = [
  { B: 128, T: 500, C: 128, F: 32, k: 7, s: 1 },
  { B: 128, T: 98, C: 32, F: 32, k: 7, s: 1 },
  { B: 32, T: 100, C: 64, F: 64, k: 3, s: 1 },
  { B: 32, T: 100, C: 64, F: 64, k: 3, s: 2 },
  { B: 128, T: 8, C: 64, F: 64, k: 3, s: 1 },
  { B: 1, T: 1000, C: 64, F: 64, k: 3, s: 1 },
];
type Shape = (typeof SHAPES)[number];

/** The kernels in both orders of batch and time; before them one product of as many rows that do not overlap. */
export function convolutions(): KernelRow[] {
  return SHAPES.flatMap((shape) => {
    const { B, T, C, F, k } = shape;
    const whole = product("gemmNN", { m: Math.floor((B * T) / k), n: F, k: C * k });
    const kernels = ["conv1D", "conv1DInput", "conv1DKernel"] as const;
    const orders = [false, true].flatMap((timeMajor) =>
      kernels.map((kernel) => row(kernel, shape, timeMajor)),
    );
    return [{ ...whole, name: `${whole.name}, as conv1D ${textOf(shape)}` }, ...orders];
  });
}

const textOf = (shape: Shape) =>
  Object.entries(shape)
    .map(([name, value]) => `${name}${value}`)
    .join(" ");

function row(kernel: "conv1D" | "conv1DInput" | "conv1DKernel", shape: Shape, timeMajor: boolean): KernelRow {
  const { B, T, C, F, k, s } = shape;
  const steps = Math.floor((T - k) / s) + 1;
  return {
    name: `${kernel} ${textOf(shape)} ${timeMajor ? "[T, B, C]" : "[B, T, C]"}`,
    make(memory) {
      const { conv1D, conv1DInput, conv1DKernel } = memory.kernels;
      const [x, y, w] = [B * T * C, B * steps * F, k * C * F].map((words) => memory.words(words));
      const sum = { conv1D: 0, conv1DInput: B * T * C, conv1DKernel: k * C * F }[kernel];
      const into = memory.words(sum, () => 0);
      const scratch = memory.words((GEMM_SCRATCH_BYTES + k * (packedBytes(C, F) + packedBytes(F, C))) / 4);
      const order = timeMajor ? [steps, B, s * B * C, C, B * C] : [B, steps, T * C, s * C, C];
      const sizes = [...order, k, C, F, 1];
      const run = {
        conv1D: () => conv1D(y, x, w, 0, ...sizes, 0, scratch),
        conv1DInput: () => conv1DInput(into, y, w, ...sizes, scratch),
        conv1DKernel: () => conv1DKernel(into, x, y, ...sizes, scratch),
      }[kernel];
      const bytes = 4 * (B * T * C + B * steps * F + k * C * F);
      return { run, flops: 2 * B * steps * F * C * k, bytes };
    },
  };
}

interface Calls extends Found {
  ms: number;
  calls: { name: string; ms: number }[];
}

const NETWORK = "conv1D network B128 T500";

/** Embedding(10000, 128), Conv1D(32, 7), MaxPooling1D(5), Conv1D(32, 7), GlobalMaxPooling1D, Dense(1): its largest calls. */
export function networkSections(start: () => Promise<unknown>, effort: Effort): Section<Calls>[] {
  return (["predict", "train"] as const).map((mode) => ({
    title: `The book's network of convolutions for IMDB, B128 T500: ${mode}`,
    columns: ["call", "ms", "share"],
    rows: [
      {
        name: `${mode} ${NETWORK}`,
        async measure() {
          await start();
          return profile(mode, effort);
        },
      },
    ],
    lines(_, { ms, calls }) {
      const total = calls.reduce((sum, call) => sum + call.ms, 0);
      const largest = [...calls].sort((a, b) => b.ms - a.ms).slice(0, 12);
      return [
        ["whole", figures(ms), ""],
        ...largest.map((call) => [call.name, figures(call.ms), `${((100 * call.ms) / total).toFixed(1)} %`]),
      ];
    },
  }));
}

async function profile(mode: "predict" | "train", effort: Effort): Promise<Calls> {
  const [samples, T] = [128, 500];
  const x = input({ shape: [T], dtype: "int32" });
  const conv = () => layers.conv1D({ filters: 32, kernelSize: 7, activation: "relu" });
  const chain = [
    layers.embedding({ inputDim: 10000, outputDim: 128 }),
    conv(),
    layers.maxPooling1D({ poolSize: 5 }),
    conv(),
    layers.globalMaxPooling1D(),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ];
  const graph = makeGraph("bench", [x], [chain.reduce((value, layer) => layer.apply(value), x)]);
  const ids = Int32Array.from({ length: samples * T }, (_, i) => (Math.imul(i, 2654435761) >>> 0) % 10000);
  const labels = Float32Array.from({ length: samples }, (_, i) => i % 2);
  const data = { inputs: [tensor(ids, [samples, T])], targets: [tensor(labels, [samples, 1])], samples };
  const executor = await Executor.create(graph, "bench");
  const optimizer = adam();
  const losses = [resolveLoss("bench", "binaryCrossentropy")];
  const steps = new Steps(executor, mode, data, { optimizer, update: optimizer, losses, lossWeights: [1] });
  steps.fill(undefined, 0, samples);
  if (mode === "train") steps.writeSettings(optimizer);
  const {
    bound: [bound],
    program,
  } = steps.prepared;
  const whole = await measure(
    job(() => bound.run(), effort.now),
    effort,
  );
  const times = program.steps.map(() => [] as number[]);
  for (let round = 0; round < effort.rounds; round++) {
    for (const [index, spent] of times.entries()) {
      const start = effort.now();
      bound.run(index, index + 1);
      spent.push(effort.now() - start);
    }
  }
  executor.dispose();
  const calls = program.steps.map((step, index) => ({
    name: callsOf(step)[0].kernel,
    ms: median(times[index]),
  }));
  return { ms: whole.median, calls };
}
