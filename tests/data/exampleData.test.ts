// What the examples make of their files: small files of the same form, written here.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Encoder, readTask, tasksIn } from "../../examples/babi/stories.js";
import { continuing } from "../../examples/characters/corpus.js";
import { readPairs, spearman } from "../../examples/questionPairs/pairs.js";
import { readWeather, WEATHER } from "../../examples/weather/places.js";
import { tensor } from "../../src/tensor.js";
import { rejects } from "./golden.js";

const folder = mkdtempSync(join(tmpdir(), "example-data-"));
test.after(() => rmSync(folder, { recursive: true }));

function write(file: string, lines: readonly string[]): void {
  const path = join(folder, file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, file.endsWith(".gz") ? gzipSync(lines.join("\n")) : lines.join("\n"));
}

test("characters: each row of a batch goes on where it ended in the batch before", () => {
  const ids = tensor(Int32Array.from({ length: 23 }, (_, i) => i));
  const { x, y } = continuing(ids, 2, 3);
  // Stretches of 11: 0 to 10 and 11 to 21, three windows of 3 each.
  assert.equal(x.toArray(), [
    [0, 1, 2],
    [11, 12, 13],
    [3, 4, 5],
    [14, 15, 16],
    [6, 7, 8],
    [17, 18, 19],
  ]);
  assert.equal(
    Array.from(y.data),
    Array.from(x.data, (id) => id + 1),
  );
  assert.throws(() => continuing(ids, 8, 3), /more than 24 characters/);
});

test("babi: stories begin at line 1, questions stand in between, long stories keep their end", async () => {
  const lines = [
    "1 Mary moved to the bathroom.",
    "2 John went to the hallway.",
    "3 Where is Mary? \tbathroom\t1",
    "4 Mary went to the garden.",
    "5 Where is Mary? \tgarden\t4",
    "1 John sat.",
    "2 Where is John?\tkitchen\t1",
    "",
  ];
  write("qa-babi-en10k/qa1_some-name_train.txt.gz", lines);
  write("qa-babi-en10k/qa12_other_train.txt", lines);
  assert.equal(tasksIn(folder), [1, 12]);
  const { name, questions } = await readTask(folder, 1, "train");
  assert.is(name, "some-name");
  assert.equal(
    questions.map(({ story, answer }) => [story.length, answer]),
    [
      [2, "bathroom"],
      [3, "garden"],
      [1, "kitchen"],
    ],
  );
  assert.equal((await readTask(folder, 12, "train")).questions, questions);
  await rejects(() => readTask(folder, 3, "train"), /a file qa3_…_train\.txt.*got tasks 1, 12/);

  const encoder = new Encoder(questions, 2);
  assert.equal([encoder.words, encoder.sentences], [5, 2]);
  const { story, question, answer } = encoder.encode(questions);
  assert.equal([story.shape, question.shape, answer.shape], [[3, 10], [3, 3], [3]]);
  const sentences = (story.toArray() as number[][]).map((row) => [row.slice(0, 5), row.slice(5)]);
  // The second question's story has three sentences: the first is left out, the second becomes the first.
  assert.equal(sentences[1][0], sentences[0][1]);
  assert.equal(sentences[2][1], [0, 0, 0, 0, 0]);
  assert.equal(sentences[2][0].slice(2), [0, 0, 0]);
  assert.equal(
    Array.from(answer.data, (id) => encoder.answers.getVocabulary()[id]),
    ["bathroom", "garden", "kitchen"],
  );
  assert.equal(
    encoder.encode([{ story: ["Sandra flew."], question: "Why?", answer: "fear" }]).answer.data[0],
    0,
  );
});

test("questionPairs: parts of a table, with quotes as they are", async () => {
  write("pairs-ko/question-pair.tsv.gz", [
    "split\tsame\tquestion1\tquestion2",
    'train\t1\t"왜" 그래\t왜?',
    "test\t0\t1\t2",
    "test\t0\t왜\t----",
    "",
  ]);
  const { train, validation, test: tested } = await readPairs(folder, "questions");
  assert.equal(train, [{ first: '"왜" 그래', second: "왜?", label: 1 }]);
  assert.equal(validation, []);
  assert.equal(tested, [{ first: "1", second: "2", label: 0 }]);
});

test("questionPairs: Spearman's correlation, equal values too", () => {
  assert.is(spearman([1, 2, 3], [10, 100, 1000]), 1);
  assert.is(spearman([1, 2, 3], [3, 2, 1]), -1);
  // scipy.stats.spearmanr([1, 2, 2, 4, 0], [3, 1, 1, 5, 2]).statistic
  assert.ok(Math.abs(spearman([1, 2, 2, 4, 0], [3, 1, 1, 5, 2]) - 0.15789473684210525) < 1e-12);
});

test("weather: gaps are filled with the last value, each station by itself, parts by date", async () => {
  const header =
    "station,time,temp_f,dewpoint_f,humidity_pct,wind_dir_deg,wind_mph,gust_mph,precip_in,pressure_mb,visibility_mi";
  const row = (station: string, time: string, temp: string) =>
    `${station},${time},${temp},32,50,90,10,,0,1000,10`;
  write("timeseries/nyc-weather-2013-hourly.csv.gz", [
    header,
    row("A", "2013-08-31T22", "50"),
    row("A", "2013-09-01T01", ""),
    row("A", "2013-11-01T00", "68"),
    row("B", "2013-08-31T23", "41"),
    row("B", "2013-09-01T00", "32"),
    row("B", "2013-11-01T00", "32"),
    "",
  ]);
  const { train, validation, test: tested, features } = await readWeather(WEATHER.newYork, folder);
  const temperatures = (part: typeof train, station: number) => {
    const { data, shape } = part[station].rows;
    assert.is(shape[1], features.length);
    return Array.from({ length: shape[0] }, (_, i) => data[i * shape[1]]);
  };
  assert.equal(temperatures(train, 0), [10, 10]);
  assert.equal(temperatures(train, 1), [5]);
  assert.is(temperatures(validation, 0).length, 61 * 24);
  assert.ok(temperatures(validation, 0).every((value) => value === 10));
  assert.equal(temperatures(tested, 0), [20]);
  const [first] = train;
  const east = features.indexOf("east");
  assert.ok(Math.abs(first.rows.data[east] - 10) < 1e-5 && Math.abs(first.rows.data[east + 1]) < 1e-5);
  const hour = features.indexOf("hour");
  assert.ok(Math.abs(first.rows.data[hour] - Math.sin((2 * Math.PI * 22) / 24)) < 1e-4);
});

test.run();
