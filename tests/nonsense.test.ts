// Nonsense in every place: each public function, and each method of what these give, is called with values of no use, argument by
// argument and option by option, and must answer with an UnreelError. What it takes (5 may be a size) is then used, as users would.
// All is found by walking what the package exports and what errors say of options, so that what is added later is called too.
// Not here: what the errors say (errors.test.ts, newcomers.test.ts).
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as unreel from "../src/index.js";
import * as infer from "../src/infer.js";

const {
  callbacks,
  configure,
  data,
  decode,
  input,
  layers,
  losses,
  optimizers,
  sequential,
  tensor,
  text,
  UnreelError,
} = unreel;
type Call = (...given: unknown[]) => unknown;
type Bag = Readonly<Record<string, unknown>>;

/** A list that holds itself. */
const loop: unknown[] = [];
loop.push(loop);

const JUNK: readonly unknown[] = [
  null,
  undefined,
  5,
  -1,
  Number.NaN,
  "x",
  true,
  [],
  {},
  [null],
  [[]],
  () => 1,
  Symbol.iterator,
  new Date(0),
  10n,
  Object.create(null),
  loop,
  new Map([["a", 1]]),
  new Float64Array(0),
  1e21,
];

function shown(junk: unknown): string {
  if (junk === loop) return "loop";
  if (typeof junk === "object" && junk !== null)
    return Object.getPrototypeOf(junk) === null
      ? "Object.create(null)"
      : `${junk.constructor.name} ${JSON.stringify(junk)}`;
  return typeof junk === "bigint" ? `${junk}n` : String(junk);
}

// ------------------------------------------------------------------------------------------------------- good arguments

const x = input({ shape: [4, 3] });
const rows = [
  [1, 2, 3],
  [4, 5, 6],
];
const targets = [
  [1, 0],
  [0, 1],
];
const ids = [[1, 2, 3]];
const dense = () => layers.dense({ units: 2, inputShape: [3] });
function compiled() {
  const model = sequential([dense()]);
  model.compile({ optimizer: "sgd", loss: "meanSquaredError" });
  return model;
}
const numbers = () => data.Dataset.fromTensors([1, 2, 3, 4]);
const step = (given: readonly number[]) => ({
  probabilities: given.length > 3 ? [0, 0, 1] : [0.5, 0.4, 0.1],
});

/** Options of functions that need other ones, or tell of others only when they have these. */
const OPTIONS: Readonly<Record<string, Bag>> = {
  "data.Discretization": { numBins: 2 },
  "data.Rescaling": { scale: 2 },
  "layers.activation": { activation: "tanh" },
  "layers.dot": { axes: 1 },
  "metrics.precisionAtRecall": { recall: 0.5 },
  "metrics.recallAtPrecision": { precision: 0.5 },
  "metrics.sensitivityAtSpecificity": { specificity: 0.5 },
  "metrics.specificityAtSensitivity": { sensitivity: 0.5 },
  "schedules.piecewiseConstantDecay": { boundaries: [2], values: [1, 2] },
  "text.Tokenizer": { oovToken: "?" },
  "text.hashingTrick": { lower: true },
  "text.oneHot": { lower: true },
  "text.textToWordSequence": { lower: true },
};

/** Options that have no default, wherever a function has them. */
const NEEDED: Bag = {
  units: 2,
  filters: 2,
  kernelSize: 2,
  inputDim: 9,
  outputDim: 2,
  rate: 0.5,
  stddev: 0.5,
  n: 2,
  targetShape: [12],
  dims: [2, 1],
  numHeads: 1,
  keyDim: 2,
  initialLearningRate: 0.1,
  decaySteps: 10,
  firstDecaySteps: 10,
  decayRate: 0.5,
  boundaries: [2],
  batchSizes: [1, 2],
  shape: [2],
  verbose: 0,
  print: () => {},
  step,
  start: 1,
  end: 2,
  maxLength: 4,
  numTokens: 9,
  sequenceLength: 2,
  fn: losses.meanSquaredError,
  schedule: () => 0.1,
  loss: "meanSquaredError",
  optimizer: "sgd",
  x: ids,
};
/** Those that are made anew, as layers belong to one place. */
const MADE: Readonly<Record<string, () => unknown>> = {
  layer: () => layers.lstm({ units: 2 }),
  cell: () => layers.lstmCell({ units: 2 }),
  cells: () => [layers.lstmCell({ units: 2 })],
};

/** Arguments before the options, by the name of the function or its namespace. */
const GOOD: Readonly<Record<string, () => readonly unknown[]>> = {
  ops: () => [x, x, x],
  "ops.concatenate": () => [[x, x], 1],
  "ops.stack": () => [[x, x], 1],
  "ops.power": () => [x, 2],
  "ops.clip": () => [x, 0, 1],
  "ops.reshape": () => [x, [null, 12]],
  "ops.expandDims": () => [x, 1],
  "ops.flip": () => [x, 1],
  "ops.slice": () => [x, [0, 0, 0], [-1, 2, 3]],
  "ops.split": () => [x, 2, 1],
  "ops.squeeze": () => [x, null],
  "ops.transpose": () => [x, [0, 2, 1]],
  "ops.sum": () => [x],
  "ops.mean": () => [x],
  "ops.max": () => [x],
  "ops.min": () => [x],
  tensor: () => [[1], [1], "float32"],
  sequential: () => [[dense()]],
  model: () => [],
  loadModel: () => [new Uint8Array(9)],
  "data.npyBytes": () => [[1, 2]],
  "data.npzBytes": () => [{ a: [1, 2] }],
  "data.readNpy": () => [new Uint8Array(9)],
  "data.readNpz": () => [new Uint8Array(9)],
  "text.hashingTrick": () => ["one two", 5],
  "text.oneHot": () => ["one two", 5],
  "text.ngrams": () => [["one", "two"]],
  "text.textToWordSequence": () => ["one two"],
  "sequence.padSequences": () => [[[1, 2], [3]]],
  "sequence.skipgrams": () => [[1, 2, 3], 5],
  "sequence.makeSamplingTable": () => [5, 0.1],
  "sequence.timeseriesDatasetFromArray": () => [rows, null],
  "decode.sample": () => [[0.5, 0.5]],
  torch: () => [compiled()],
  "torch.loadStateDict": () => [
    compiled(),
    {
      "dense.weight": [
        [1, 2, 3],
        [4, 5, 6],
      ],
      "dense.bias": [1, 2],
    },
  ],
  "torch.saveStateDict": () => [compiled(), ""],
  "torch.readSafetensors": () => [new Uint8Array(9)],
  "torch.safetensorsOf": () => [{ a: [1] }],
  "metrics.meanMetricWrapper": () => [],
  "new Tensor": () => [new Float32Array(1), [1]],
  "Dataset.fromTensors": () => [[1, 2, 3]],
  "Dataset.fromGenerator": () => [() => [1]],
  "Dataset.fromCsv": () => ["a,b\n1,2\n"],
  "Dataset.fromLines": () => ["a\nb\n"],
  "Dataset.zip": () => [[numbers(), numbers()]],
  "Dataset.map": () => [(element: unknown) => element],
  "Dataset.flatMap": () => [(element: unknown) => [element]],
  "Dataset.filter": () => [() => true],
  "Dataset.shuffle": () => [2],
  "Dataset.batch": () => [2],
  "Dataset.paddedBatch": () => [2],
  "Dataset.window": () => [2],
  "Dataset.concatenate": () => [numbers()],
  "Layer.apply": () => [x],
  "Loss.call": () => [targets, targets],
  "Metric.update": () => [targets, targets],
  "Mean.update": () => [[1, 2]],
  "Model.fit": () => [rows, targets],
  "Model.evaluate": () => [rows, targets],
  "Model.predict": () => [rows],
  "SavedModel.predict": () => [rows],
  "Model.trainOnBatch": () => [rows, targets],
  "Model.apply": () => [input({ shape: [3] })],
  "Model.save": () => [""],
  "Model.toBytes": () => ["keras"],
  "Tokenizer.textsToMatrix": () => [["one two"], "binary"],
  "Tokenizer.sequencesToMatrix": () => [ids, "binary"],
  "CategoryEncoding.apply": () => [[1, 2]],
  "TextVectorization.setVocabulary": () => [["one"], null],
  "StringLookup.setVocabulary": () => [["one"], null],
  "IntegerLookup.setVocabulary": () => [[1], null],
};

/** What a prepared object has learned from. */
const LEARNED: Bag = { TextVectorization: ["one two"], StringLookup: ["one"], IntegerLookup: [1, 2] };

/** What would fetch if it were not refused: with options that say nothing. */
const FETCHES = /^datasets\./;
/** What writes a file under any name: texts are names. */
const WRITES = /\.(save|saveWeights|saveStateDict|csvLogger|modelCheckpoint|tensorBoard|backupAndRestore)$/;
/** For the floors above, not for users; UnreelError itself, which tells what it is told. */
const INTERNAL = new RegExp(
  "^((Model|Sequential|SavedModel)\\.(describe|restore|graph|regraph|executor|whileRunning|requireRest)|Layer\\.(build|call)" +
    "|Metric\\.add|Loss\\.rows|new (Loss|Metric|Optimizer|\\w+Error))$",
);

// ------------------------------------------------------------------------------------------------------------- the calls

let calls = 0;
const complaints = new Set<string>();

/** What a call came to, the error or the value; anything but an UnreelError is kept for the end. */
async function ask(what: string, call: () => unknown): Promise<{ error?: Error; value?: unknown }> {
  calls++;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    let value = call();
    if (typeof (value as PromiseLike<unknown> | null)?.then === "function") {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("no answer in 5 s")), 5000);
      });
      value = await Promise.race([value, late]);
    }
    return { value };
  } catch (error) {
    if (!(error instanceof UnreelError)) complaints.add(`${what}: ${error}`);
    return { error: error as Error };
  } finally {
    clearTimeout(timer);
  }
}

/** Names of the options that a call takes behind some arguments (an error names them all), and those without which it says nothing. */
async function optionsOf(
  name: string,
  call: Call,
  before: readonly unknown[],
): Promise<[string[], () => Bag]> {
  const own = OPTIONS[name] ?? {};
  let hint: string | undefined;
  try {
    await call(...before, { ...own, zzzzzzzzzzzzzzzzzzzzzzzz: 1 });
  } catch (error) {
    if (error instanceof UnreelError) hint = error.hint;
  }
  const told = /^Known names: (.*)\.$/.exec(hint ?? "")?.[1].split(", ") ?? [];
  const usual = told.filter((each) => Object.hasOwn(NEEDED, each) || Object.hasOwn(MADE, each));
  const names = new Set([...told, ...Object.keys(own)]);
  const needed = () => Object.fromEntries(usual.map((each) => [each, MADE[each]?.() ?? NEEDED[each]]));
  return [[...names], OPTIONS[name] ? () => own : needed];
}

/** Calls with junk in each place and each option; `use` is for what was taken. */
async function tryAll(
  name: string,
  call: Call,
  good: () => readonly unknown[],
  use: (value: unknown) => unknown = () => {},
): Promise<void> {
  if (INTERNAL.test(name)) return;
  const length = good().length;
  const one = async (what: string, make: () => readonly unknown[]) => {
    const shownCall = `${name}(${what})`;
    const { error, value } = await ask(shownCall, () => call(...make()));
    if (!error) await ask(`${shownCall}, used`, () => use(value));
  };
  for (let place = 0; place <= length; place++) {
    for (const junk of JUNK) {
      if (FETCHES.test(name) && (junk === undefined || Object.keys(Object(junk)).length === 0)) continue;
      if (WRITES.test(name) && typeof junk === "string") continue;
      await one(`${"…, ".repeat(place)}${shown(junk)}`, () => [...good().slice(0, place), junk]);
    }
  }
  if (FETCHES.test(name)) return;
  const [names, needed] = await optionsOf(name, call, good());
  for (const option of names) {
    for (const junk of JUNK) {
      const what = `${"…, ".repeat(length)}{ ${option}: ${shown(junk)} }`;
      await one(what, () => [...good(), { ...needed(), [option]: junk }]);
    }
  }
}

/** A call with good arguments: what methods are tried on. */
async function wellMade(name: string, call: Call, good: () => readonly unknown[]): Promise<unknown> {
  const [names, needed] = await optionsOf(name, call, good());
  try {
    return await call(...good(), ...(names.length > 0 ? [needed()] : []));
  } catch (error) {
    if (error instanceof UnreelError) return undefined;
    throw error;
  }
}

/** What each layer, loss and metric does in its own way; their other methods are those of the class. */
const EACH = /^(apply|call|update)$/;
const tried = new Set<string>();

/** Every method and every setter of an object's class, with junk; a new object for each method. */
async function tryMethods(name: string, make: () => unknown): Promise<void> {
  const names = new Set<string>();
  const setters = new Set<string>();
  let prototype: unknown = Object.getPrototypeOf(await make());
  for (; prototype && prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    for (const [key, { value, set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (key !== "constructor" && typeof value === "function") names.add(key);
      if (set) setters.add(key);
    }
  }
  for (const key of setters) {
    const object = (await make()) as Record<string, unknown>;
    await tryAll(
      `${name}.${key} = `,
      (given) => {
        object[key] = given;
      },
      () => [],
    );
  }
  for (const method of names) {
    if (tried.has(`${name}.${method}`) && !EACH.test(method)) continue;
    tried.add(`${name}.${method}`);
    const object = (await make()) as Record<string, Call>;
    const good = GOOD[`${name}.${method}`] ?? (() => []);
    await tryAll(
      `${name}.${method}`,
      (...given) => object[method](...given),
      good,
      (value) => (value === object || value === undefined ? used(object) : used(value)),
    );
  }
}

/** What users do with such a thing. */
async function used(value: unknown): Promise<void> {
  if (value instanceof data.Dataset) await value.take(3).toArray();
  else if (value instanceof losses.Loss) value.call(targets, targets);
  else if (value instanceof unreel.metrics.Metric) value.update(targets, targets).result();
  else if (value instanceof unreel.Model) await value.trainOnBatch([[1, 2, 3]], [[1, 0]]);
  else if (isLayer(value)) {
    for (const shape of [[4, 3], [5], [3]]) {
      await ask(`${value.name}, applied`, () => {
        (value.apply as Call)(input({ shape }));
        return value.getWeights();
      });
    }
  } else if (typeof value === "function") (value as Call)([0.5, 0.5]);
  else if (typeof value === "object" && value !== null && "className" in value) {
    // A schedule, an initializer.
    if ("at" in value) (value.at as Call)(3);
    if ("draw" in value) (value.draw as Call)([2, 2]);
    if ("penalty" in value)
      await used(
        layers.dense({ units: 2, kernelRegularizer: value as never, activityRegularizer: value as never }),
      );
    if ("emit" in value) await used(layers.dense({ units: 2, kernelConstraint: value as never }));
    if ("learningRate" in value) {
      const model = sequential([dense()]);
      model.compile({ optimizer: value as never, loss: "meanSquaredError" });
      await used(model);
    }
  } else if (typeof value === "object" && value !== null && "onEpochEnd" in value) {
    await compiled().fit(rows, targets, {
      epochs: 2,
      verbose: 0,
      callbacks: [value as never],
      validationData: [rows, targets],
    });
  }
}

const AS_IT_WAS = { deterministic: false, memoryLimit: Number.POSITIVE_INFINITY, threads: 1, wide: false };

const isLayer = (value: unknown): value is ReturnType<typeof layers.dense> =>
  value instanceof dense().constructor;

/** Functions and classes of a namespace and of those in it, by their full names. */
function* members(space: object, path = ""): Generator<[string, string, Call]> {
  for (const [key, value] of Object.entries(space)) {
    const name = path ? `${path}.${key}` : key;
    if (typeof value === "function") yield [name, path.split(".")[0], value as Call];
    else if (typeof value === "object" && value !== null && !Array.isArray(value))
      yield* members(value, name);
  }
}

const isClass = (value: Call) => /^class\b/.test(Function.prototype.toString.call(value));
const { log, warn } = console;

test.before(() => {
  console.log = () => {};
  console.warn = () => {};
});
test.after(() => {
  Object.assign(console, { log, warn });
});

function conclude(least: number): void {
  const found = [...complaints];
  complaints.clear();
  assert.is(found.length, 0, `${found.length} of ${calls} calls:\n${found.join("\n")}`);
  assert.ok(calls >= least, `only ${calls} calls`);
  calls = 0;
}

test("functions", async () => {
  for (const [name, space, call] of members(unreel)) {
    const good = GOOD[name] ?? GOOD[space] ?? (() => []);
    const use = name === "configure" ? () => configure(AS_IT_WAS) : WRITES.test(name) ? undefined : used;
    if (!isClass(call)) await tryAll(name, call, good, use);
  }
  conclude(25_000);
});

test("static methods and constructors", async () => {
  for (const [path, , given] of members(unreel)) {
    if (!isClass(given) && !/(^|\.)[A-Z]\w*$/.test(path)) continue;
    const create = (...args: unknown[]) =>
      new (given as unknown as new (...args: unknown[]) => unknown)(...args);
    await tryAll(`new ${given.name}`, create, GOOD[`new ${given.name}`] ?? (() => []), used);
    for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(given))) {
      if (typeof value !== "function" || value === given.prototype) continue;
      const name = `${given.name}.${key}`;
      await tryAll(name, (...args) => value.apply(given, args), GOOD[name] ?? (() => []), used);
    }
  }
  conclude(250);
});

test("methods of what functions give", async () => {
  for (const [name, space, call] of members(unreel)) {
    if (isClass(call) || FETCHES.test(name) || WRITES.test(name)) continue;
    if (!["layers", "losses", "metrics", "data", "text", "schedules"].includes(space)) continue;
    const good = GOOD[name] ?? GOOD[space] ?? (() => []);
    const made = await wellMade(name, call, good);
    const isMaker = !["text", "data"].includes(space) || /\.[A-Z]\w*$/.test(name);
    assert.ok(made !== undefined || !isMaker, `${name} needs options: OPTIONS`);
    if (typeof made !== "object" || made === null) continue;
    if (space === "schedules") {
      await tryAll(`${name}().at`, (made as { at: Call }).at, () => []);
      continue;
    }
    const className = made.constructor.name;
    if (!isMaker || Object.getPrototypeOf(made) === Object.prototype) continue;
    await tryMethods(className, async () => {
      const object = (await wellMade(name, call, good)) as { adapt?: Call };
      if (className in LEARNED) object.adapt?.(LEARNED[className]);
      return object;
    });
  }
  conclude(10_000);
});

test("methods of tensors, datasets, models, streams", async () => {
  await tryMethods("Tensor", () => tensor([1, 2]));
  await tryMethods("Dataset", numbers);
  await tryMethods("Model", compiled);
  await tryMethods("Stream", async () =>
    sequential([layers.lstm({ units: 2, inputShape: [null, 3] })]).stream(),
  );
  for (const make of [layers.multiHeadAttention, layers.attention, layers.dot, layers.concatenate]) {
    const layer = await wellMade(`layers.${make.name}`, make as Call, () => []);
    await tryAll(
      `${make.name}.apply`,
      (...given) => (layer as { apply: Call }).apply(...given),
      () => [[x, x]],
    );
  }
  conclude(3_000);
});

test("unreel/infer", async () => {
  const bytes = await compiled().toBytes("keras");
  await tryAll("loadModel", infer.loadModel as Call, () => [bytes]);
  await tryMethods("SavedModel", () => infer.loadModel(bytes));
  conclude(500);
});

test("what users' functions give", async () => {
  for (const junk of JUNK) {
    const elements = (list: unknown) => data.Dataset.fromGenerator(() => list as never);
    const trained = (options: Bag) => {
      const model = sequential([dense()]);
      model.compile({ optimizer: "sgd", loss: "meanSquaredError", ...options });
      return model.fit(rows, targets, { verbose: 0 });
    };
    const vectorizer = (options: Bag) =>
      new text.TextVectorization(options).adapt(["one two"]).apply(["one"]);
    const tokenizer = (options: Bag) =>
      new text.Tokenizer(options).fitOnTexts(["one two"]).textsToSequences(["one"]);
    const cell = { stateSize: 2, outputSize: 2, build() {}, call: () => junk };
    const places: Record<string, () => unknown> = {
      "fromGenerator: a stream": () => elements(junk).toArray(),
      "batch: elements": () => elements([junk, junk]).batch(2).toArray(),
      "batch: elements of two kinds": () => elements([1, junk]).batch(2).toArray(),
      "paddedBatch: elements": () =>
        elements([junk, [1]])
          .paddedBatch(2)
          .toArray(),
      "window: elements": () => elements([junk, junk]).window(2).toArray(),
      "bucketByLength: elements": () =>
        elements([junk, junk])
          .bucketByLength({ boundaries: [2], batchSizes: [1, 1] })
          .toArray(),
      "bucketByLength: lengthOf": () =>
        numbers()
          .bucketByLength({ boundaries: [2], batchSizes: [1, 1], lengthOf: () => junk as number })
          .toArray(),
      flatMap: () =>
        numbers()
          .flatMap(() => junk as never)
          .toArray(),
      filter: () =>
        numbers()
          .filter(() => junk as never)
          .toArray(),
      map: () =>
        numbers()
          .map(() => junk)
          .batch(2)
          .toArray(),
      "fit: batches": () => compiled().fit(elements([junk]) as never, { verbose: 0 }),
      "fit: x of batches": () => compiled().fit(elements([[junk, targets]]) as never, { verbose: 0 }),
      "fit: y of batches": () => compiled().fit(elements([[rows, junk]]) as never, { verbose: 0 }),
      "predict: batches": () => compiled().predict(elements([junk]) as never),
      "compile: loss": () => trained({ loss: () => junk }),
      "compile: metric": () => trained({ metrics: [() => junk] }),
      "own schedule": () =>
        trained({
          optimizer: optimizers.sgd({
            learningRate: { className: "Own", config: {}, at: () => junk as number },
          }),
        }),
      "own initializer": () =>
        used(
          layers.dense({
            units: 2,
            kernelInitializer: { className: "Own", config: {}, draw: () => junk as never },
          }),
        ),
      "own initializer of forget gates": () =>
        used(
          layers.lstm({
            units: 2,
            biasInitializer: { className: "Own", config: {}, draw: () => junk as never },
          }),
        ),
      learningRateScheduler: () => used(callbacks.learningRateScheduler({ schedule: () => junk as number })),
      "own callback": () => used({ onEpochEnd: () => junk }),
      "own cell": () => used(layers.rnn({ cell: cell as never })),
      "TextVectorization: standardize": () => vectorizer({ standardize: () => junk }),
      "TextVectorization: split": () => vectorizer({ split: () => junk }),
      "Tokenizer: analyzer": () => tokenizer({ analyzer: () => junk }),
      "hashingTrick: analyzer": () => text.hashingTrick("one", 5, { analyzer: () => junk as never }),
      "hashingTrick: hashFunction": () => text.hashingTrick("one", 5, { hashFunction: () => junk as never }),
      "decode: step": () => decode.greedy({ start: 1, end: 2, maxLength: 3, step: () => junk as never }),
      "decode: probabilities": () =>
        decode.beamSearch({
          start: 1,
          end: 2,
          maxLength: 3,
          width: 2,
          step: () => ({ probabilities: junk }) as never,
        }),
    };
    for (const [place, call] of Object.entries(places)) await ask(`${place}: ${shown(junk)}`, call);
  }
  conclude(28 * JUNK.length);
});

test.run();
