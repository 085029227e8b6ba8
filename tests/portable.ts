// The tests that need nothing but an engine, as one module that Node, Deno, Bun and browsers run (npm run test:runtimes). A test file
// that imports from node: is not among them; tests/floors.test.ts sees to it that every other one is. Not a test itself.
import { PROBES } from "../src/wasm/kernels.js";

const SUITES: Readonly<Record<string, () => Promise<unknown>>> = {
  attention: () => import("./attention.test.js"),
  callbacks: () => import("./callbacks.test.js"),
  cellDropout: () => import("./cellDropout.test.js"),
  constants: () => import("./constants.test.js"),
  convolution: () => import("./convolution.test.js"),
  corners: () => import("./corners.test.js"),
  "data/dataset": () => import("./data/dataset.test.js"),
  "data/korean": () => import("./data/korean.test.js"),
  "data/preprocessing": () => import("./data/preprocessing.test.js"),
  "data/sequence": () => import("./data/sequence.test.js"),
  "data/series": () => import("./data/series.test.js"),
  "data/tokenizer": () => import("./data/tokenizer.test.js"),
  "data/vectorization": () => import("./data/vectorization.test.js"),
  decode: () => import("./decode.test.js"),
  determinism: () => import("./determinism.test.js"),
  emit: () => import("./emit.test.js"),
  engine: () => import("./engine.test.js"),
  epochs: () => import("./epochs.test.js"),
  errors: () => import("./errors.test.js"),
  family: () => import("./family.test.js"),
  fitDataset: () => import("./fitDataset.test.js"),
  "formats/objects": () => import("./formats/objects.test.js"),
  "formats/onnxRead": () => import("./formats/onnxRead.test.js"),
  "formats/onnxWrite": () => import("./formats/onnxWrite.test.js"),
  "formats/tfjs": () => import("./formats/tfjs.test.js"),
  "formats/wasm": () => import("./formats/wasm.test.js"),
  golden: () => import("./golden.test.js"),
  initializers: () => import("./initializers.test.js"),
  layers: () => import("./layers.test.js"),
  losses: () => import("./losses.test.js"),
  metrics: () => import("./metrics.test.js"),
  names: () => import("./names.test.js"),
  newcomers: () => import("./newcomers.test.js"),
  noise: () => import("./noise.test.js"),
  nonsense: () => import("./nonsense.test.js"),
  normalization: () => import("./normalization.test.js"),
  operations: () => import("./operations.test.js"),
  ops: () => import("./ops.test.js"),
  optimizers: () => import("./optimizers.test.js"),
  packed: () => import("./packed.test.js"),
  program: () => import("./program.test.js"),
  recurrent: () => import("./recurrent.test.js"),
  regularization: () => import("./regularization.test.js"),
  rnn: () => import("./rnn.test.js"),
  schedules: () => import("./schedules.test.js"),
  stream: () => import("./stream.test.js"),
  summary: () => import("./summary.test.js"),
  touched: () => import("./touched.test.js"),
  training: () => import("./training.test.js"),
  zip: () => import("./zip.test.js"),
};

interface Uvu {
  UVU_DEFER?: number;
  UVU_INDEX?: number;
  UVU_QUEUE: unknown[][];
}

/** Runs them in order and prints what uvu prints: totals last. `build`: simd on an engine that could run relaxed. */
export async function run({ build, filter }: { build?: string; filter?: string } = {}): Promise<void> {
  if (build === "simd") refuseRelaxed();
  const uvu = globalThis as unknown as Uvu;
  uvu.UVU_DEFER = 1;
  uvu.UVU_QUEUE = [];
  for (const [name, load] of Object.entries(SUITES)) {
    if (filter && !name.includes(filter)) continue;
    uvu.UVU_INDEX = uvu.UVU_QUEUE.push([name]) - 1;
    await load();
  }
  const { engineInfo } = await import("../src/index.js");
  const { exec } = await import("uvu");
  console.log(`build: ${(await engineInfo()).build}`);
  await exec();
}

function refuseRelaxed(): void {
  const validate = WebAssembly.validate;
  WebAssembly.validate = (bytes) => {
    const text = btoa(String.fromCharCode(...new Uint8Array(bytes as Uint8Array)));
    return text !== PROBES.relaxed && validate(bytes);
  };
}
