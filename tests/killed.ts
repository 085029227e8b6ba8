// A training that is killed and begun again (backup.test.ts): node killed.js FOLDER OPTIMIZER. Says each batch, and at the end the bits
// of all weights and of the optimizer's state.

import { callbacks, layers, type optimizers, sequential, setRandomSeed, tensor } from "../src/index.js";
import { registry as optimizerRegistry } from "../src/training/resolveOptimizer.js";

const EPOCHS = 6;
const SAMPLES = 40;
const STEPS = 5;

/** Learns with everything that a backup must keep: shuffles, dropout, moving averages, a table whose rows wait, a schedule or a rate. */
export async function train(
  backupDir: string | undefined,
  optimizer: string,
  more: readonly callbacks.Callback[] = [],
): Promise<string> {
  setRandomSeed(17);
  const model = sequential([
    layers.embedding({ inputDim: 50, outputDim: 4, inputShape: [STEPS] }),
    layers.dropout({ rate: 0.25 }),
    layers.lstm({ units: 3, returnSequences: true, recurrentDropout: 0.25 }),
    layers.batchNormalization(),
    layers.gru({ units: 3 }),
    layers.dense({ units: 1 }),
  ]);
  model.compile({
    optimizer: (optimizerRegistry[optimizer] as (options: object) => optimizers.Optimizer)({
      learningRate: 0.01,
    }),
    loss: "meanSquaredError",
    metrics: ["mae"],
  });
  const x = tensor(
    Int32Array.from({ length: SAMPLES * STEPS }, (_, i) => (i * i * 7 + i) % 50),
    [SAMPLES, STEPS],
  );
  const y = tensor(
    Float32Array.from({ length: SAMPLES }, (_, i) => (i % 5) / 3),
    [SAMPLES, 1],
  );
  const backup = backupDir === undefined ? [] : [callbacks.backupAndRestore({ backupDir, saveFreq: 3 })];
  await model.fit(x, y, {
    epochs: EPOCHS,
    batchSize: 4,
    validationSplit: 0.2,
    verbose: 0,
    callbacks: [...backup, callbacks.reduceLROnPlateau({ patience: 100 }), ...more],
  });
  const { training } = model.describe("bits");
  const state = [...training!.slots.values()].flat();
  const bits = [...model.getWeights().map(({ data }) => data as Float32Array), ...state].map((values) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("hex"),
  );
  return [training!.iterations, ...bits].join(" ");
}

const [, program, folder, optimizer] = process.argv;
if (program.endsWith("killed.js")) {
  const slowly: callbacks.Callback = {
    async onTrainBatchEnd(batch) {
      process.stdout.write(`batch ${batch}\n`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
  process.stdout.write(`bits ${await train(folder, optimizer, [slowly])}\n`);
}
