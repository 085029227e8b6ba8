// Callbacks: against Keras' on scripted logs, and in trainings of their own. The files they write: callbackFiles.test.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { callbacks, layers, type Model, optimizers, schedules, sequential, tensor } from "../src/index.js";
import { assertClose, nameOf, readGolden } from "./support.js";

type Logs = callbacks.Logs;

interface Case {
  name: string;
  className: string;
  config: Record<string, unknown>;
  metric: string;
  values: number[];
  epochs: number;
  rates: number[];
  logs: Logs[];
  stoppedEpoch: number | null;
  restored: number | null;
  printed: string;
  warnings: number;
}

/** What a function prints and warns of. */
async function heard(work: () => unknown): Promise<{ printed: string; warnings: string[] }> {
  const { log, warn } = console;
  let printed = "";
  const warnings: string[] = [];
  console.log = (text: string) => {
    printed += `${text}\n`;
  };
  console.warn = (text: string) => warnings.push(text);
  try {
    await work();
  } finally {
    Object.assign(console, { log, warn });
  }
  return { printed, warnings };
}

const { cases } = readGolden<{ cases: Case[] }>("keras_callbacks.json");
for (const each of cases) {
  test(`Keras: ${each.name}`, async () => {
    const name = nameOf(each.className);
    const make = callbacks[name as "earlyStopping"] as (config: object) => callbacks.Callback;
    const callback = make(each.config);
    const optimizer = optimizers.sgd({ learningRate: 0.1 });
    let [epoch, restored]: (number | null)[] = [0, null];
    const run: callbacks.TrainingRun = {
      epochs: each.values.length,
      batches: 1,
      samples: 1,
      optimizer,
      stop: false,
      model: {
        name: "scripted",
        getWeights: () => [tensor([epoch!])],
        setWeights: ([weight]) => {
          restored = tensor(weight).data[0];
        },
        save: async () => {},
        saveWeights: async () => {},
      },
      backup: async () => new Uint8Array(),
      restore: async () => {},
    };
    const rates: number[] = [];
    const ended: Logs[] = [];
    const { printed, warnings } = await heard(async () => {
      // Twice: a callback begins anew with each training.
      for (let training = 0; training < 2; training++) {
        rates.length = ended.length = 0;
        optimizer.learningRate = 0.1;
        run.stop = false;
        await callback.onTrainBegin?.(run);
        for (epoch = 0; epoch < each.values.length && !run.stop; epoch++) {
          const logs: Logs = { [each.metric]: each.values[epoch] };
          await callback.onEpochEnd?.(epoch, logs, run);
          delete logs[each.metric];
          ended.push(logs);
          rates.push(optimizer.learningRate);
        }
        await callback.onTrainEnd?.({}, run);
      }
    });
    assert.is(rates.length, each.epochs);
    assertClose("rates", rates, each.rates, 1e-6, 1e-9);
    each.logs.forEach((logs, at) => {
      assert.equal(Object.keys(ended[at]), Object.keys(logs));
      assertClose(`logs of epoch ${at}`, Object.values(ended[at]), Object.values(logs), 1e-6, 1e-9);
    });
    if ("stoppedEpoch" in callback) assert.is(callback.stoppedEpoch, each.stoppedEpoch);
    assert.is(restored, each.restored);
    assert.is(warnings.length, 2 * each.warnings);
    // Keras' rates are float32: 0.05000000074505806.
    const rounded = (text: string) => text.replace(/\d+\.\d+/g, (number) => Number(number).toPrecision(6));
    assert.is(rounded(printed), rounded(each.printed).repeat(2));
  });
}

/** A line through (1, 1) … (4, 4), learned from batches of two. */
function learner({
  learningRate = 0.01 as number | schedules.Schedule,
  metrics = [] as string[],
} = {}): Model {
  const made = sequential([layers.dense({ units: 1, inputShape: [1], kernelInitializer: "zeros" })]);
  made.compile({ optimizer: optimizers.sgd({ learningRate }), loss: "meanSquaredError", metrics });
  return made;
}
const x = tensor([1, 2, 3, 4], [4, 1]);
const y = tensor([1, 2, 3, 4], [4, 1]);
const plain = { batchSize: 2, verbose: 0, shuffle: false } as const;

test("the calls come in Keras' order, with its arguments", async () => {
  const seen: string[] = [];
  const keys = (logs: Logs) => Object.keys(logs).join("+");
  const made = learner({ metrics: ["mae"] });
  await made.fit(x, y, {
    ...plain,
    epochs: 2,
    initialEpoch: 1,
    validationData: [x, y],
    callbacks: [
      callbacks.lambda({
        onTrainBegin: (run) => void seen.push(`train ${run.epochs} ${run.batches} ${run.samples}`),
        onEpochBegin: (epoch) => void seen.push(`epoch ${epoch}`),
        onTrainBatchBegin: (batch) => void seen.push(`batch ${batch}`),
        onTrainBatchEnd: (batch, logs) => void seen.push(`/batch ${batch} ${keys(logs)}`),
        onTestBegin: () => void seen.push("test"),
        onTestBatchBegin: (batch) => void seen.push(`test batch ${batch}`),
        onTestBatchEnd: (batch, logs) => void seen.push(`/test batch ${batch} ${keys(logs)}`),
        onTestEnd: (logs) => void seen.push(`/test ${keys(logs)}`),
        onEpochEnd: (epoch, logs) => void seen.push(`/epoch ${epoch} ${keys(logs)}`),
        onTrainEnd: (logs) => void seen.push(`/train ${keys(logs)}`),
      }),
    ],
  });
  assert.equal(seen, [
    "train 2 2 4",
    "epoch 1",
    ...["batch 0", "/batch 0 loss+mae", "batch 1", "/batch 1 loss+mae"],
    ...[
      "test",
      "test batch 0",
      "/test batch 0 loss+mae",
      "test batch 1",
      "/test batch 1 loss+mae",
      "/test loss+mae",
    ],
    "/epoch 1 loss+mae+val_loss+val_mae",
    "/train loss+mae+val_loss+val_mae",
  ]);
  made.dispose();
});

test("run.stop ends the training after the batch; the epoch still ends", async () => {
  const made = learner();
  let batches = 0;
  const stopper: callbacks.Callback = {
    onTrainBatchEnd(batch, _, run) {
      batches++;
      if (batch === 1) run.stop = true;
    },
  };
  const { history } = await made.fit(x, y, {
    ...plain,
    batchSize: 1,
    epochs: 9,
    validationData: [x, y],
    callbacks: [stopper],
  });
  assert.is(batches, 2);
  assert.is(history.val_loss.length, 1);
  made.dispose();
});

test("run.model has the newest weights after each batch, and what it is given counts at once and at the end", async () => {
  const made = learner();
  const seen: number[] = [];
  const setter: callbacks.Callback = {
    onTrainBatchEnd(_, __, { model }) {
      seen.push(model.getWeights()[0].data[0]);
    },
    onEpochEnd(epoch, _, { model }) {
      model.setWeights([[[10 + epoch]], [0]]);
    },
  };
  await made.fit(x, y, { ...plain, epochs: 2, callbacks: [setter] });
  assert.is(new Set(seen).size, 4);
  assert.ok(seen[0] > 0 && seen[0] < 1, "the first batch began at 0");
  assert.ok(seen[2] > 5 && seen[2] < 10, "the second epoch began at 10");
  assert.equal([...made.getWeights()[0].data], [11]);
  made.dispose();
});

test("earlyStopping gives back the best epoch's weights", async () => {
  const made = learner({ learningRate: 0.05 });
  const kept: number[] = [];
  const spoil: callbacks.Callback = {
    onEpochEnd(epoch, _, { model, optimizer }) {
      kept.push(model.getWeights()[0].data[0]);
      // From here on it climbs.
      if (epoch === 3) optimizer.learningRate = 0.5;
    },
  };
  const stopping = callbacks.earlyStopping({ monitor: "loss", patience: 2, restoreBestWeights: true });
  const { epoch } = await made.fit(x, y, { ...plain, epochs: 50, callbacks: [spoil, stopping] });
  assert.ok(epoch.length < 50);
  assert.is(stopping.stoppedEpoch, epoch.length - 1);
  assert.is(stopping.bestEpoch, epoch.length - 3);
  assert.is(made.getWeights()[0].data[0], kept[stopping.bestEpoch]);
  made.dispose();
});

test("learningRateScheduler sets the rate of each epoch; the history has it", async () => {
  const made = learner();
  const schedule = (epoch: number, rate: number) => (epoch === 0 ? 0.04 : rate / 2);
  const { printed } = await heard(async () => {
    const { history } = await made.fit(x, y, {
      ...plain,
      epochs: 3,
      callbacks: [callbacks.learningRateScheduler({ schedule, verbose: 1 })],
    });
    assert.equal(history.learning_rate, [0.04, 0.02, 0.01]);
  });
  assert.match(printed, "\nEpoch 2: LearningRateScheduler setting learning rate to 0.02.\n");
  made.dispose();
  const scheduled = learner({
    learningRate: schedules.exponentialDecay({ initialLearningRate: 1, decaySteps: 1, decayRate: 0.5 }),
  });
  try {
    await scheduled.fit(x, y, { ...plain, callbacks: [callbacks.learningRateScheduler({ schedule })] });
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /optimizers.sgd: learningRate: expected a schedule/);
  }
  scheduled.dispose();
});

test("terminateOnNaN stops quietly, with the weights before the batch; without it there is an error", async () => {
  const made = learner({ learningRate: 1e30 });
  let weights: number[] = [];
  const before: callbacks.Callback = {
    onTrainBatchBegin(_, { model }) {
      weights = [...model.getWeights()[0].data];
    },
  };
  const callback = callbacks.terminateOnNaN();
  const { printed } = await heard(async () => {
    const { history, epoch } = await made.fit(x, y, { ...plain, epochs: 5, callbacks: [before, callback] });
    assert.equal(epoch, [0]);
    assert.not.ok(Number.isFinite(history.loss[0]));
  });
  assert.match(printed, /^Batch 1: Invalid loss, terminating training\n$/);
  assert.equal([...made.getWeights()[0].data], weights);
  const raising = callbacks.terminateOnNaN({ raiseError: true });
  for (const [list, message] of [
    [[], /training stopped at epoch 1, batch 1: loss/],
    [[raising], /callbacks.terminateOnNaN: loss of batch 0: expected a finite number/],
  ] as const) {
    try {
      await made.fit(x, y, { ...plain, callbacks: list });
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, message);
    }
  }
  made.dispose();
});

const wrong: Record<string, [() => unknown, RegExp]> = {
  "a name that tells no direction": [
    () => callbacks.earlyStopping({ monitor: "val_quality" }),
    /callbacks.earlyStopping: mode: expected 'min' or 'max', got 'auto' for 'val_quality'/,
  ],
  "an unknown mode": [() => callbacks.earlyStopping({ mode: "least" as never }), /'auto', 'min' or 'max'/],
  "a mistyped option": [
    () => callbacks.earlyStopping({ patiance: 3 } as never),
    /callbacks.earlyStopping.*Did you mean 'patience'/,
  ],
  "a factor of 1": [() => callbacks.reduceLROnPlateau({ factor: 1 }), /reduceLROnPlateau: factor/],
  "no schedule": [() => callbacks.learningRateScheduler({} as never), /schedule: expected a function/],
  "no file": [() => callbacks.csvLogger({} as never), /csvLogger: filename: expected the path/],
  "a long separator": [() => callbacks.csvLogger({ filename: "a", separator: ", " }), /one character/],
  histograms: [() => callbacks.tensorBoard({ histogramFreq: 1 } as never), /known options/],
  "batches of 0": [() => callbacks.tensorBoard({ updateFreq: 0 }), /updateFreq: expected a positive integer/],
};
for (const [name, [make, message]] of Object.entries(wrong)) {
  test(`refused: ${name}`, () => assert.throws(make, message));
}

test.run();
