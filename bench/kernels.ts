// The kernels alone: products, recurrences, and what goes element by element.
import { convolutions } from "./convolutions.js";
import { elements, embedding } from "./elements.js";
import type { KernelMemory, KernelRow } from "./kernelMemory.js";
import { type Effort, figures, job, measure } from "./measure.js";
import { PRODUCTS, product } from "./products.js";
import type { Found, Section } from "./sections.js";
import { sequence } from "./sequences.js";
import { shapes } from "./shapeList.js";
import type { ModelShape } from "./shapes.js";

interface Speed extends Found {
  median: number;
  best: number;
  flops: number;
  bytes: number;
}

/** `memory` is asked for when a row is measured. */
export function kernelSections(memory: () => Promise<KernelMemory>, effort: Effort): Section<Speed>[] {
  const section = (title: string, rows: KernelRow[]): Section<Speed> => ({
    title,
    columns: ["kernel", "ms", "best", "GFLOP/s", "GB/s"],
    rows: rows.map(({ name, make }) => ({
      name,
      async measure() {
        const own = await memory();
        own.reset();
        const { run, before, flops, bytes } = make(own);
        return { ...(await measure(job(run, effort.now, before), effort)), flops, bytes };
      },
    })),
    lines: (name, { median, best, flops, bytes }) => [
      [name, ...[median, best, flops / median / 1e6, bytes / median / 1e6].map(figures)],
    ],
  });
  return [
    section(
      "Products, M x N x K",
      shapes.gemm.flatMap((shape) => PRODUCTS.map((kernel) => product(kernel, shape))),
    ),
    section(
      "Recurrences (without the input's product)",
      recurrences().flatMap((shape) => [sequence(shape), sequence(shape, true)]),
    ),
    section("Convolutions, and one product of as many rows", convolutions()),
    section("Element by element", [
      ...elements(64, 64),
      ...elements(16384, 64),
      ...embedding(128, 32, 10000),
      ...embedding(64000, 32, 10000),
    ]),
  ];
}

/** The recurrences of all models, each once. */
function recurrences(): ModelShape[] {
  const all = [...shapes.inference, ...shapes.training];
  return [...new Map(all.map((shape) => [sequence(shape).name, shape])).values()];
}
