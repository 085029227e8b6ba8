// decode.*: logarithms and ranks, greedy and sampled sequences, beam search against all sequences there are, draws against their
// probabilities (chi-square with fixed seeds).
import { test } from "uvu";
import * as assert from "uvu/assert";
import { likeliest, logProbabilities } from "../src/decode/distribution.js";
import {
  type Decoded,
  type GenerateOptions,
  type SampleOptions,
  sample as sampleValues,
} from "../src/decode/index.js";
import { decode, input, layers, model, setRandomSeed, type Tensor, tensor } from "../src/index.js";
import { Random } from "../src/random.js";
import { one } from "./support.js";

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

/** Positive numbers that are all different and add up to 1, drawn from what was said so far. */
function distribution(ids: readonly number[], size: number, seed: number): number[] {
  const random = new Random(ids.reduce((key, id) => key * 31 + id + 1, seed));
  const weights = Array.from({ length: size }, () => random.uniform(0.05, 1) ** 2);
  return weights.map((weight) => weight / sum(weights));
}

/** A language of `size` ids in which every next id depends on all before it. */
const language = (size: number, seed: number) => (ids: readonly number[]) => ({
  probabilities: distribution(ids, size, seed),
});

// ----------------------------------------------------------------------------------------------------------- one row

test("logarithms of probabilities and of logits", () => {
  const values = [0.3, 2, 0, 7.5, 1e-30];
  const logs = logProbabilities("t", values, "probabilities");
  const total = sum(values);
  values.forEach((value, id) => {
    const expected = Math.log(Math.fround(value) / total);
    assert.ok(value === 0 ? logs[id] === Number.NEGATIVE_INFINITY : Math.abs(logs[id] / expected - 1) < 1e-7);
  });
  const logits = [-3, 400, 399, Number.NEGATIVE_INFINITY, 0.5];
  const found = logProbabilities("t", tensor(logits, [1, 1, 5]), "logits");
  const shifted = Math.log(1 + Math.exp(-1)) + 400;
  logits.forEach((logit, id) => {
    assert.ok(logit === found[id] || Math.abs(found[id] - (logit - shifted)) < 1e-12, `${found[id]}`);
  });
});

test("the likeliest ids, of equal ones the lower first, few or many", () => {
  const random = new Random(5);
  for (const size of [1, 3, 17, 300]) {
    for (const count of [1, 2, 17, 64, 65, 299, 1000]) {
      const values = Array.from({ length: size }, () =>
        random.integer(9) === 0 ? Number.NEGATIVE_INFINITY : random.integer(7),
      );
      const sorted = values
        .map((value, id) => ({ value, id }))
        .sort((a, b) => (a.value === b.value ? a.id - b.id : b.value > a.value ? 1 : -1))
        .map(({ id }) => id);
      assert.equal(likeliest(values, count), sorted.slice(0, count), `${count} of ${size}`);
    }
  }
});

// ------------------------------------------------------------------------------------------------------------ greedy

test("greedy takes the likeliest id until the end; the prompt passes id by id", async () => {
  const seen: string[] = [];
  const table: Record<number, number[]> = {
    3: [0, 1, 0, 0],
    1: [0.1, 0.1, 0.8, 0],
    2: [0.5, 0.5, 0, 0],
    0: [0, 0, 0, 1],
  };
  const step = (ids: readonly number[], count: number) => {
    seen.push(`${ids.join(" ")} (${count})`);
    return { probabilities: table[ids.at(-1)!], state: count + 1 };
  };
  const options = { step, start: [3, 1], end: 3, maxLength: 9, initialState: 0 };
  const found = await decode.greedy(options);
  assert.equal(found.ids, [2, 0]);
  assert.is(found.ended, true);
  assert.ok(Math.abs(found.logProbability - Math.log(0.8 * 0.5)) < 1e-7);
  assert.is(found.score, found.logProbability);
  assert.equal(seen, ["3 (0)", "3 1 (1)", "3 1 2 (2)", "3 1 2 0 (3)"]);
  const cut = await decode.greedy({ ...options, maxLength: 2 });
  assert.equal([cut.ids, cut.ended], [[2, 0], false]);
  const endless = await decode.greedy({ ...options, end: null, start: 1, maxLength: 5 });
  assert.equal([endless.ids, endless.ended], [[2, 0, 3, 1, 2], false]);
  const several = await decode.greedy({ ...options, end: [3, 0] });
  assert.equal(several.ids, [2]);
});

test("a step may be async, give logits, and leave its state as it is", async () => {
  const step = async (ids: readonly number[], scale: number) => ({ logits: [0, ids.length * scale, 3] });
  const found = await decode.greedy({ step, start: 0, maxLength: 3, initialState: 1.4 });
  assert.equal(found.ids, [2, 2, 1]);
  const log = (logits: number[], id: number) => logits[id] - Math.log(sum(logits.map(Math.exp)));
  const expected = log([0, 1.4, 3], 2) + log([0, 2.8, 3], 2) + log([0, 4.2, 3], 1);
  assert.ok(Math.abs(found.logProbability - expected) < 1e-6);
});

// ------------------------------------------------------------------------------------------------------- beam search

/** All sequences there are, with the score of transformers: log probability over length to the power of the penalty. */
function exhaustive({ step, start, end, maxLength }: GenerateOptions<undefined>, penalty: number): Decoded[] {
  const all: Decoded[] = [];
  const visit = (ids: number[], logProbability: number) => {
    const { probabilities } = step([start as number, ...ids], undefined) as { probabilities: number[] };
    probabilities.forEach((probability, id) => {
      const log = logProbability + Math.log(probability);
      const ended = id === end;
      const next = ended ? ids : [...ids, id];
      if (ended || next.length === maxLength) {
        const score = log / (ids.length + 1) ** penalty;
        all.push({ ids: next, logProbability: log, score, ended });
      } else visit(next, log);
    });
  };
  visit([], 0);
  return all.sort((a, b) => b.score - a.score);
}

function assertSame(found: readonly Decoded[], expected: readonly Decoded[], what: string): void {
  assert.is(found.length, expected.length, what);
  found.forEach(({ ids, ended, score, logProbability }, i) => {
    assert.equal([ids, ended], [expected[i].ids, expected[i].ended], `${what}, sequence ${i}`);
    assert.ok(Math.abs(score / expected[i].score - 1) < 1e-6, `${what}, score ${i}: ${score}`);
    assert.ok(Math.abs(logProbability - expected[i].logProbability) < 1e-6, `${what}, sequence ${i}`);
  });
}

for (const lengthPenalty of [0, 0.6, 1, 2, -0.5]) {
  test(`a beam as wide as the language finds all sequences, lengthPenalty ${lengthPenalty}`, async () => {
    for (const [size, maxLength] of [
      [2, 6],
      [3, 4],
      [5, 3],
    ]) {
      const options = { step: language(size, 7), start: 1, end: 0, maxLength };
      const all = exhaustive(options, lengthPenalty);
      const found = await decode.beamSearch({ ...options, width: size ** maxLength, lengthPenalty });
      assertSame(found, all, `${size} ids, ${maxLength} steps`);
      const endless = { ...options, end: null };
      const width = size ** maxLength;
      assertSame(
        await decode.beamSearch({ ...endless, width, lengthPenalty }),
        exhaustive(endless, lengthPenalty),
        "without an end",
      );
    }
  });
}

/** The same search without any short cut: all continuations of all beams, sorted, until the last step. */
function narrow(
  { step, start, end, maxLength }: GenerateOptions<undefined>,
  width: number,
  penalty: number,
): Decoded[] {
  let beams: { ids: number[]; log: number }[] = [{ ids: [], log: 0 }];
  const finished: Decoded[] = [];
  for (let length = 1; length <= maxLength; length++) {
    const all = beams.flatMap(({ ids, log }) => {
      const { probabilities } = step([start as number, ...ids], undefined) as { probabilities: number[] };
      return probabilities.map((p, id) => ({ ids, id, log: log + Math.log(p) }));
    });
    all.sort((a, b) => b.log - a.log);
    for (const { ids, id, log } of all.slice(0, width)) {
      if (id === end)
        finished.push({ ids, logProbability: log, score: log / length ** penalty, ended: true });
    }
    beams = all
      .filter(({ id }) => id !== end)
      .slice(0, width)
      .map(({ ids, id, log }) => ({ ids: [...ids, id], log }));
  }
  const cut = beams.map(({ ids, log }) => ({
    ids,
    logProbability: log,
    score: log / maxLength ** penalty,
    ended: false,
  }));
  return [...finished, ...cut].sort((a, b) => b.score - a.score).slice(0, width);
}

test("narrow beams, which stop early, find what a search to the last step finds", async () => {
  let steps = 0;
  for (const lengthPenalty of [0, 1, 1.7, -0.5, -2]) {
    for (const width of [1, 2, 3, 5, 8]) {
      for (let seed = 1; seed <= 6; seed++) {
        const speak = language(6, seed);
        const step = (ids: readonly number[]) => {
          steps++;
          // The end gets likelier with every step.
          const { probabilities } = speak(ids);
          return { probabilities: probabilities.map((p, id) => (id === 0 ? p * ids.length : p)) };
        };
        const normal = (ids: readonly number[]) => {
          const { probabilities } = step(ids);
          return { probabilities: probabilities.map((p) => p / sum(probabilities)) };
        };
        const options = { start: 1, end: 0, maxLength: 7 };
        const expected = narrow({ ...options, step: normal }, width, lengthPenalty);
        const before = steps;
        const found = await decode.beamSearch({ ...options, step, width, lengthPenalty });
        assertSame(found, expected, `width ${width}, penalty ${lengthPenalty}, seed ${seed}`);
        if (lengthPenalty === 0 && width === 1) {
          assert.ok(steps - before <= found[0].ids.length + 1, "stops where nothing better can come");
          const { ids, ended } = await decode.greedy({ ...options, step });
          assert.equal([found[0].ids, found[0].ended], [ids, ended]);
        }
      }
    }
  }
});

test("the search goes on while the next step can be better, however bad the last one would be", async () => {
  const table = [
    [0.05, 0.949, 0.001],
    [0.04, 0.95, 0.01],
    [1, 0, 0],
  ];
  const step = (ids: readonly number[]) => ({ probabilities: table[ids.length - 1] });
  const found = await decode.beamSearch({
    step,
    start: 1,
    end: 0,
    maxLength: 100,
    width: 2,
    lengthPenalty: -1,
  });
  assert.equal(found[0].ids, [1, 1]);
});

test("beams pass over impossible ids and go on from one state without mixing", async () => {
  // Only ids that are in the state may come; each may come once.
  const step = (ids: readonly number[], left: readonly number[] | undefined) => {
    const rest = left!.filter((id) => id !== ids.at(-1));
    return { probabilities: [0, 1, 2, 3].map((id) => (rest.includes(id) ? id + 1 : 0)), state: rest };
  };
  const options = { step, start: 0, maxLength: 3, initialState: [0, 1, 2, 3], width: 24, lengthPenalty: 0 };
  const found = await decode.beamSearch(options);
  assert.is(found.length, 6);
  assert.is(new Set(found.map(({ ids }) => ids.join())).size, 6);
  assert.equal(found[0].ids, [3, 2, 1]);
  assert.ok(Math.abs(sum(found.map(({ logProbability }) => Math.exp(logProbability))) - 1) < 1e-6);
});

test("equally likely sequences come in the order of their ids", async () => {
  const step = () => ({ probabilities: [1, 1, 1] });
  const found = await decode.beamSearch({ step, start: 0, maxLength: 2, width: 4 });
  assert.equal(
    found.map(({ ids }) => ids.join("")),
    ["00", "01", "02", "10"],
  );
});

test("a recurrent model: beams over a stream's states and over a model with states find the same", async () => {
  setRandomSeed(3);
  const [ids, units] = [7, 5];
  const token = input({ shape: [null], dtype: "int32" });
  const before = input({ shape: [units] });
  const embedding = layers.embedding({ inputDim: ids, outputDim: 4 });
  const gru = layers.gru({ units, returnState: true });
  const dense = layers.dense({ units: ids, activation: "softmax", kernelInitializer: "randomNormal" });
  const [out, after] = gru.apply(embedding.apply(token), { initialState: before });
  const whole = model({ inputs: [token, before], outputs: [dense.apply(out), after] });
  const alone = input({ shape: [null], dtype: "int32" });
  const [last] = gru.apply(embedding.apply(alone));
  const streamed = model({ inputs: alone, outputs: one(dense, last) });
  const search = { start: 1, end: 2, maxLength: 6, width: 3 };

  const predicted = await decode.beamSearch({
    ...search,
    initialState: tensor(new Float32Array(units), [1, units]),
    step: async (said, state: Tensor) => {
      const [probabilities, next] = await whole.predict([[[said.at(-1)!]], state]);
      return { probabilities, state: next };
    },
  });
  const stream = await streamed.stream();
  const stepped = await decode.beamSearch({
    ...search,
    initialState: stream.state,
    step: (said, state: Tensor[]) => {
      stream.state = state;
      return { probabilities: stream.step([said.at(-1)!]), state: stream.state };
    },
  });
  assert.is(predicted.length, 3);
  assertSame(stepped, predicted, "stream");
  whole.dispose();
  streamed.dispose();
});

// ------------------------------------------------------------------------------------------------------------ sample

/** Chi-square of draws against probabilities, and how many ids are possible. */
function chiSquare(
  probabilities: number[],
  options: SampleOptions & { fromLogits?: boolean },
  weights: number[],
) {
  const draws = 4000;
  const counts = probabilities.map(() => 0);
  const pick = decode.sample(options);
  for (let i = 0; i < draws; i++) counts[pick(weights)]++;
  let statistic = 0;
  probabilities.forEach((probability, id) => {
    const expected = (draws * probability) / sum(probabilities);
    if (expected === 0) assert.is(counts[id], 0, `id ${id} cannot come`);
    else statistic += (counts[id] - expected) ** 2 / expected;
  });
  return statistic;
}

const weights = [0.05, 0.3, 0, 0.2, 0.15, 0.3, 0.02];
const tempered = weights.map((weight) => weight ** (1 / 0.6));
const only = (values: number[], ...ids: number[]) =>
  values.map((value, id) => (ids.includes(id) ? value : 0));
/** What must come out, and the value that chi-square passes in one of a thousand runs. */
const draws: [string, SampleOptions & { fromLogits?: boolean }, number[], number][] = [
  ["as they are", {}, weights, 20.5],
  ["temperature 0.6", { temperature: 0.6 }, tempered, 20.5],
  ["temperature 3", { temperature: 3 }, weights.map((weight) => weight ** (1 / 3)), 20.5],
  ["topK 3", { topK: 3 }, only(weights, 1, 3, 5), 13.8],
  ["topK 1: the lower of two", { topK: 1 }, only(weights, 1), 0],
  ["topK 2, temperature 0.6", { topK: 2, temperature: 0.6 }, only(weights, 1, 5), 10.8],
  ["topK 100", { topK: 100 }, weights, 20.5],
  // 0.3 + 0.3 + 0.2 of 1.02 is less than 0.8 of it.
  ["topP 0.8", { topP: 0.8 }, only(weights, 1, 3, 4, 5), 16.3],
  ["topP 0.75", { topP: 0.75 }, only(weights, 1, 3, 5), 13.8],
  ["topP tiny: one is always left", { topP: 1e-9 }, only(weights, 1), 0],
  ["topP 1", { topP: 1 }, weights, 20.5],
  // Of the four that topK leaves, three have 0.8 / 0.95.
  ["topP after topK", { topK: 4, topP: 0.83 }, only(weights, 1, 3, 5), 13.8],
  ["topP after temperature", { topP: 0.75, temperature: 0.6 }, only(tempered, 1, 5, 3), 13.8],
  ["temperature 0", { temperature: 0 }, only(weights, 1), 0],
];
for (const [name, options, expected, critical] of draws) {
  test(`draws follow their probabilities: ${name}`, () => {
    const statistic = chiSquare(expected, { seed: 11, ...options }, weights);
    assert.ok(statistic <= critical, `chi-square ${statistic} exceeds ${critical}`);
    const logits = weights.map((weight) => Math.log(weight) + 5);
    const again = chiSquare(expected, { seed: 12, fromLogits: true, ...options }, logits);
    assert.ok(again <= critical, `chi-square ${again} of logits exceeds ${critical}`);
  });
}

test("chi-square tells draws from other probabilities apart", () => {
  assert.ok(chiSquare(weights, { seed: 11, temperature: 0.9 }, weights) > 20.5);
});

test("the same seed draws the same ids, these ones", () => {
  const series = (options: SampleOptions) => {
    const pick = decode.sample(options);
    return Array.from({ length: 12 }, () => pick(weights));
  };
  assert.equal(series({ seed: 1 }), PINNED);
  assert.equal(series({ seed: 1, topP: 0.999 }), PINNED);
  assert.is(decode.sample(weights, { seed: 1 }), PINNED[0]);
  assert.is(decode.sample(weights, { seed: 1 }), PINNED[0]);
  assert.not.equal(series({ seed: 2 }), PINNED);
  const global = () => {
    setRandomSeed(9);
    return [...series({}), ...Array.from({ length: 12 }, () => decode.sample(weights))];
  };
  const first = global();
  assert.equal(global(), first);
  assert.ok(new Set(first.slice(12)).size > 2, "draws without a seed differ from each other");
});
const PINNED = [5, 4, 1, 1, 0, 3, 5, 5, 3, 6, 3, 1];

test("a sampled sequence: the draws of its sampler, the probabilities of its step", async () => {
  const step = language(5, 3);
  const search = { step, start: 1, end: 0, maxLength: 30 };
  const pick = decode.sample({ seed: 4, topK: 4, temperature: 1.5 });
  const ids: number[] = [];
  let log = 0;
  for (;;) {
    const { probabilities } = step([1, ...ids]);
    const id = pick(probabilities);
    log += Math.log(probabilities[id]);
    if (id === 0) break;
    ids.push(id);
  }
  const found = await decode.sample({ ...search, seed: 4, topK: 4, temperature: 1.5 });
  assert.equal(found.ids, ids);
  assert.ok(ids.length > 0 && found.ended);
  assert.ok(Math.abs(found.logProbability - log) < 1e-6);
  const { ids: cold } = await decode.sample({ ...search, temperature: 0 });
  assert.equal(cold, (await decode.greedy(search)).ids);
});

// ------------------------------------------------------------------------------------------------------------ errors

const next = { probabilities: [0.5, 0.5] };
const good = { step: () => next, start: 0, maxLength: 3 };
type Call = () => unknown;
const refused: [string, Call, RegExp][] = [
  ["NaN", () => decode.sample([0.5, Number.NaN]), /decode\.sample: expected probabilities.*got NaN for id 1/],
  ["an infinite weight", () => decode.sample([1, Number.POSITIVE_INFINITY]), /got Infinity for id 1/],
  [
    "a negative weight",
    () => decode.sample([0.5, -0.1]),
    /got -0\.1\d* for id 1\. Logits are given with fromLogits/,
  ],
  ["no weights", () => decode.sample([]), /one row of numbers, one for each id, got shape \[0\]/],
  ["a number", () => decode.sample(3), /one row of numbers/],
  [
    "two rows",
    () =>
      decode.sample([
        [1, 2],
        [3, 4],
      ]),
    /got shape \[2,2\]/,
  ],
  ["nothing possible", () => decode.sample([0, 0]), /an id that is possible, got 0 for every id/],
  [
    "no possible logit",
    () => decode.sample([Number.NEGATIVE_INFINITY], { fromLogits: true }),
    /an id that is possible, got -Infinity for every id/,
  ],
  [
    "NaN as logit",
    () => decode.sample([0, Number.NaN], { fromLogits: true }),
    /expected logits.*got NaN for id 1/,
  ],
  ["null", () => decode.sample(null as never), /expected numbers, got null/],
  [
    "temperature < 0",
    () => decode.sample([1], { temperature: -1 }),
    /temperature: expected a number, 0 or more, got -1/,
  ],
  [
    "infinite temperature",
    () => decode.sample([1], { temperature: Number.POSITIVE_INFINITY }),
    /temperature/,
  ],
  ["temperature NaN", () => decode.sample([1], { temperature: Number.NaN }), /temperature/],
  ["topK 0", () => decode.sample([1], { topK: 0 }), /topK: expected a positive integer, got 0/],
  ["topK 1.5", () => decode.sample([1], { topK: 1.5 }), /topK: expected a positive integer/],
  ["topP 0", () => decode.sample([1], { topP: 0 }), /topP/],
  ["topP 1.1", () => decode.sample([1], { topP: 1.1 }), /topP/],
  ["topP as text", () => decode.sample([1], { topP: "0.9" as never }), /topP/],
  ["a seed below 0", () => decode.sample([1], { seed: -1 }), /seed/],
  ["a mistyped option", () => decode.sample({ topk: 3 } as never), /got 'topk'\. Did you mean 'topK'\?/],
  [
    "options twice",
    () => decode.sample({ topK: 3 } as never, { topK: 3 }),
    /probabilities or logits, then options/,
  ],
  [
    "no step",
    () => decode.greedy({ ...good, step: undefined as never }),
    /decode\.greedy: step: expected a function/,
  ],
  ["no start", () => decode.greedy({ ...good, start: [] }), /start: expected an id or more/],
  ["start undefined", () => decode.greedy({ ...good, start: undefined as never }), /start: expected ids/],
  ["a start that is no id", () => decode.greedy({ ...good, start: [1, -1] }), /start: expected ids.*got -1/],
  ["an end that is no id", () => decode.greedy({ ...good, end: 0.5 }), /end: expected ids/],
  ["an end that cannot come", () => decode.greedy({ ...good, end: 2 }), /end: expected ids below 2.*got 2/],
  ["no maxLength", () => decode.greedy({ ...good, maxLength: undefined as never }), /maxLength.*got none/],
  [
    "a step without a result",
    () => decode.greedy({ ...good, step: () => undefined as never }),
    /got undefined/,
  ],
  [
    "a step that gives both",
    () => decode.greedy({ ...good, step: () => ({ ...next, logits: [1, 1] }) as never }),
    /either probabilities or logits, got both/,
  ],
  [
    "a step that gives NaN",
    () => decode.greedy({ ...good, step: () => ({ logits: [Number.NaN] }) }),
    /greedy: step/,
  ],
  ["no width", () => decode.beamSearch(good as never), /width: expected a positive integer, got none/],
  ["width 0", () => decode.beamSearch({ ...good, width: 0 }), /width/],
  [
    "a penalty that is no number",
    () => decode.beamSearch({ ...good, width: 1, lengthPenalty: Number.NaN }),
    /lengthPenalty/,
  ],
  [
    "an infinite penalty",
    () => decode.beamSearch({ ...good, width: 1, lengthPenalty: 1 / 0 }),
    /lengthPenalty/,
  ],
  ["a topK in beams", () => decode.beamSearch({ ...good, width: 1, topK: 3 } as never), /got 'topK'/],
  ["topP of a sequence", () => sampleValues({ ...good, topP: 2 }), /topP/],
];
for (const [name, call, message] of refused) {
  test(`refuses ${name}`, async () => {
    let error: unknown;
    try {
      await call();
    } catch (thrown) {
      error = thrown;
    }
    assert.match(String(error), message);
  });
}

test.run();
