// Data sets: loaders against Keras' (tests/golden/keras_datasets.json), files from a server with their checksums and the cache, and
// what the readers refuse. The real files lie beside the project (../shared/data, or UNREEL_DATA) and are never part of it: what
// needs them is skipped where they are not.
import { createHash } from "node:crypto";
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { strToU8, zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as datasets from "../../src/data/datasets/index.js";
import { readNpy, readNpz } from "../../src/data/npz.js";
import { korean } from "../../src/data/text/index.js";
import { Tensor } from "../../src/tensor.js";
import { readGolden, root } from "../support.js";
import { camelOptions, type Options, rejects } from "./golden.js";

interface Digest {
  texts: number;
  sha256: string;
  first: number[];
}
interface Case {
  options: Options;
  train: Digest;
  test: Digest;
}
const golden = readGolden<{
  imdb: Case[];
  reuters: Case[];
  arrays: Record<string, string>;
  refused: Record<string, string>;
}>("keras_datasets.json");

const given = process.env.UNREEL_DATA;
const DATA = given ? new URL(`file://${given}/`) : new URL("../shared/data/", root);
const here = (path: string) => existsSync(new URL(path, DATA));

/** Runs a test that needs files; visibly not where they are absent. */
function withData(name: string, paths: string[], run: () => Promise<void>): void {
  const missing = paths.find((path) => !here(path));
  if (missing) {
    console.log(`datasets: skipped "${name}": no ${missing} in ${DATA.pathname}`);
    test.skip(name, run);
  } else test(name, run);
}

const folder = mkdtempSync(join(tmpdir(), "datasets-"));
process.env.UNREEL_CACHE = join(folder, "cache");
/** Answers made up by a test, before the files. */
const answers = new Map<string, Uint8Array>();
let requests: string[] = [];
const server = createServer((request, response) => {
  const path = decodeURI(request.url!.slice(1));
  requests.push(path);
  const made = answers.get(path);
  if (made) response.end(made);
  else if (here(path)) createReadStream(new URL(path, DATA)).pipe(response);
  else {
    response.statusCode = 404;
    response.end();
  }
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const at = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;
const onProgress = () => {};

function digestOf({ x, y }: datasets.Labelled): Digest {
  const text = `${x.map((row) => row.join(",")).join("\n")}|${y.join(",")}`;
  return {
    texts: x.length,
    sha256: createHash("sha256").update(text).digest("hex"),
    first: [...x[0].slice(0, 8)],
  };
}

for (const [name, { load, getWordIndex }] of Object.entries({
  imdb: datasets.imdb,
  reuters: datasets.reuters,
})) {
  withData(`keras.datasets.${name}: rows, order and options`, [`keras-npz/${name}.npz`], async () => {
    const url = at(`keras-npz/${name}.npz`);
    for (const { options, train, test: held } of golden[name as "imdb"]) {
      const loaded = await load({ ...camelOptions(options), url, onProgress });
      const what = JSON.stringify(options);
      assert.equal(digestOf(loaded.train), train, what);
      assert.equal(digestOf(loaded.test), held, what);
    }
  });

  withData(`${name}: the word index`, [`keras-npz/${name}_word_index.json`], async () => {
    const index = await getWordIndex({
      path: new URL(`keras-npz/${name}_word_index.json`, DATA),
    });
    assert.is(index.get("the"), 1);
    assert.ok(index.size > 20_000, `${index.size} words`);
  });
}

test("Reuters' topics", () => {
  const names = datasets.reuters.getLabelNames();
  assert.is(names.length, 46);
  assert.equal([names[3], names[4], names[45]], ["earn", "acq", "lead"]);
});

withData("tinyShakespeare has its published checksum", ["charlm/tinyshakespeare.txt.gz"], async () => {
  const packed = readFileSync(new URL("charlm/tinyshakespeare.txt.gz", DATA));
  answers.set("shakespeare", gunzipSync(packed));
  const sha256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed";
  const { text, train, validation } = await datasets.tinyShakespeare.load({
    url: at("shakespeare"),
    sha256,
    onProgress,
  });
  assert.is(text.length, 1_115_394);
  assert.is(new Set(text).size, 65);
  assert.is(train + validation, text);
  const unpacked = await datasets.tinyShakespeare.load({ path: new Uint8Array(packed) });
  assert.is(unpacked.text, text);
});

withData("cmudict as a table", ["g2p/cmudict-en.tsv.gz"], async () => {
  const entries = await datasets.cmudict.load({ url: at("g2p/cmudict-en.tsv.gz"), onProgress });
  assert.is(entries.length, 118_957 + 3_925 + 12_269);
  assert.equal(entries[1], { word: "a", variant: 2, phones: ["EY1"], split: "train" });
});

test("cmudict as it is published", async () => {
  const path = new TextEncoder().encode(
    ";;; comment\n'bout B AW1 T\na(2) EY1 # letter\r\n\n\"quote K W OW1 T\n",
  );
  assert.equal(await datasets.cmudict.load({ path }), [
    { word: "'bout", variant: 1, phones: ["B", "AW1", "T"] },
    { word: "a", variant: 2, phones: ["EY1"] },
    { word: '"quote', variant: 1, phones: ["K", "W", "OW1", "T"] },
  ]);
  await rejects(
    () => datasets.cmudict.load({ path: new TextEncoder().encode("a B\nword\n") }),
    /'word' in line 2/,
  );
});

const NSMC = ["train", "validation", "test"].map((part) => `sentiment-ko/nsmc-raw-${part}.tsv.gz`);
withData("nsmc in parts; Korean letters go and come back", NSMC, async () => {
  const url = { train: at(NSMC[0]), validation: at(NSMC[1]), test: at(NSMC[2]) };
  const { train, validation, test: held } = await datasets.nsmc.load({ url, onProgress });
  assert.equal(
    [train, validation, held].map(({ texts }) => texts.length),
    [140_000, 10_000, 50_000],
  );
  for (const { texts, labels } of [train, validation, held]) {
    assert.is(
      labels.reduce((sum, label) => sum + label, 0),
      texts.length / 2,
    );
  }
  const lines = gunzipSync(readFileSync(new URL(NSMC[1], DATA)))
    .toString()
    .split("\n")
    .slice(1);
  validation.texts.forEach((text, i) => {
    if (text !== lines[i].split("\t")[1]) assert.unreachable(`${i}: ${text}`);
  });
  let marked = 0;
  for (const text of validation.texts.slice(0, 3000)) {
    const letters = korean.jamo(text);
    if (korean.composeJamo(letters) !== text.normalize("NFC")) assert.unreachable(text);
    if (letters.includes(korean.BOUNDARY)) marked++;
  }
  assert.ok(marked > 20 && marked < 1000, `${marked} texts with letters that had to be kept apart`);
});

test("nsmc as it is published: columns id, document, label", async () => {
  const train = new TextEncoder().encode('id\tdocument\tlabel\n1\t"따옴표" 있음\t1\n2\t"\t0\n3\t\t1\n');
  const loaded = await datasets.nsmc.load({ path: { train } });
  assert.equal(loaded.train, { texts: ['"따옴표" 있음', '"', ""], labels: Int32Array.of(1, 0, 1) });
  assert.is(loaded.test.texts.length, 0);
  const wrong = new TextEncoder().encode("id\tdocument\tlabel\n1\ta\t2\n");
  await rejects(
    () => datasets.nsmc.load({ path: { train: wrong } }),
    /labels from 0 to 1, got '2' in record 1/,
  );
  const other = new TextEncoder().encode("a\tb\n1\t2\n");
  await rejects(
    () => datasets.nsmc.load({ path: { train: other } }),
    /columns document, label or text, label, got a, b/,
  );
});

withData("songysChatbot as a table", ["chatbot-ko/songys-chatbot.tsv.gz"], async () => {
  const url = at("chatbot-ko/songys-chatbot.tsv.gz");
  const {
    questions,
    answers: replies,
    labels,
    splits,
  } = await datasets.songysChatbot.load({ url, onProgress });
  assert.is(questions.length, 10_581 + 590 + 579);
  assert.equal(
    [questions[0], replies[0], labels[0], splits[0]],
    ["미끄러질 뻔했어", "다치지 않으셨나 걱정이네요.", 0, "train"],
  );
});

test("songysChatbot as it is published: CSV with columns Q, A, label", async () => {
  const path = new TextEncoder().encode('Q,A,label\n안녕?,"네, 안녕하세요.",0\n');
  const { questions, answers: replies, labels, splits } = await datasets.songysChatbot.load({ path });
  assert.equal([questions, replies, [...labels], splits], [["안녕?"], ["네, 안녕하세요."], [0], []]);
});

const WEATHER =
  '"Date Time","p (mbar)","T (degC)"\n01.01.2009 00:10:00,996.52,-8.02\n01.01.2009 00:20:00,996.57,-8.41\n';

test("jena from its zip, its CSV, and gzipped", async () => {
  const zip = zipSync({ "jena_climate_2009_2016.csv": strToU8(WEATHER), "__MACOSX/x.csv": strToU8("x") });
  for (const path of [zip, strToU8(WEATHER), new Uint8Array(gzipSync(WEATHER))]) {
    const { columns, time, data } = await datasets.jena.load({ path });
    assert.equal(columns, ["p (mbar)", "T (degC)"]);
    assert.equal(time, ["01.01.2009 00:10:00", "01.01.2009 00:20:00"]);
    assert.equal([...data.shape], [2, 2]);
    assert.is(data.data[3], Math.fround(-8.41));
  }
  await rejects(
    () => datasets.jena.load({ path: zipSync({ "a.csv": strToU8("a"), "b.csv": strToU8("b") }) }),
    /one CSV file, got 2/,
  );
  await rejects(() => datasets.jena.load({ path: zip.slice(0, 60) }), /a whole zip archive/);
  await rejects(() => datasets.jena.load({ path: strToU8("a\n1\n") }), /a column 'Date Time'/);
});

test("what is fetched is kept, checked, and fetched again when it is broken", async () => {
  const text = new TextEncoder().encode("Some text.");
  const sha256 = createHash("sha256").update(text).digest("hex");
  answers.set("some.txt", text);
  const url = at("some.txt");
  const cache = process.env.UNREEL_CACHE!;
  const load = (options: datasets.FileOptions = {}) =>
    datasets.tinyShakespeare.load({ url, onProgress, ...options });
  requests = [];
  const seen: datasets.Progress[] = [];
  assert.is((await load({ onProgress: (progress) => seen.push(progress) })).text, "Some text.");
  assert.equal(seen.at(-1), { file: "tinyshakespeare.txt", loaded: 10 });
  assert.is((await load({ sha256 })).text, "Some text.");
  assert.is(requests.length, 1);
  const kept = readdirSync(cache).find((name) => name.endsWith("-some.txt"));
  assert.ok(kept, String(readdirSync(cache)));
  writeFileSync(join(cache, kept), "Broken");
  assert.is((await load({ sha256 })).text, "Some text.");
  assert.is(requests.length, 2);
  assert.is((await load({ cache: false })).text, "Some text.");
  assert.is(requests.length, 3);
  await rejects(
    () => load({ sha256: "0".repeat(64), cache: false }),
    /SHA-256 0{64} of http.*got [0-9a-f]{64}\. The file is broken/,
  );
  await rejects(() => load({ sha256: "12" }), /sha256: expected 64 hexadecimal digits/);
  await rejects(() => load({ url: at("none") }), /a file at .*none, got 404/);
  await rejects(() => load({ onProgress: 3 as never }), /onProgress: expected a function/);
  assert.equal(
    readdirSync(cache).filter((name) => name.endsWith(".partial")),
    [],
  );
  answers.set("bytes", Uint8Array.of(0xff, 0xfe));
  await rejects(() => load({ url: at("bytes") }), /text in UTF-8/);
});

test("published checksums are asked for at the published address, and nowhere else", async () => {
  const real = globalThis.fetch;
  globalThis.fetch = async () => new Response("something else");
  const write = process.stderr.write;
  let said = "";
  process.stderr.write = ((text: string) => {
    said += text;
    return true;
  }) as typeof write;
  try {
    await rejects(
      () => datasets.imdb.load({ cache: false }),
      /SHA-256 69664113be75.* of https:\/\/storage\.googleapis\.com/,
    );
    await rejects(() => datasets.reuters.load({ cache: false }), /SHA-256 d6586e694ee5/);
    await rejects(() => datasets.tinyShakespeare.load({ cache: false }), /SHA-256 86c4e6aa9db7/);
    await rejects(() => datasets.imdb.getWordIndex({ cache: false }), /MD5 bfafd718b763/);
    await rejects(
      () => datasets.imdb.load({ cache: false, url: "http://x.example/imdb.npz" }),
      /a whole zip archive/,
    );
  } finally {
    globalThis.fetch = real;
    process.stderr.write = write;
  }
  assert.match(said, /^unreel: imdb\.npz from https:\/\/storage\.googleapis\.com\/.*\nunreel: reuters/);
});

test("every data set says where it comes from", () => {
  const all = Object.entries(datasets);
  assert.ok(all.length >= 7);
  for (const [name, { about }] of all) {
    assert.ok(about.source && about.licence && about.description, name);
    for (const url of about.urls) assert.match(url, /^https:\/\//);
  }
});

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, "base64"));

test("NumPy arrays of every type, and lists in every protocol of pickles", async () => {
  for (const [name, base64] of Object.entries(golden.arrays)) {
    const array = readNpy("test", name, bytesOf(base64));
    const lists = [[1, 2, 300, 70000, -5], [], [2 ** 31 - 1, -(2 ** 31)]].map((row) => Int32Array.from(row));
    if (name === "lists") assert.equal(array, lists);
    else if (/^p/.test(name)) assert.equal(array, lists.slice(0, 2), name);
    else {
      assert.instance(array, Tensor);
      const values = name === "b1" ? [1, 0, 1, 1, 1, 1] : [1, 0, 2, 3, 4, 5];
      assert.equal([[...(array as Tensor).shape], [...(array as Tensor).data]], [[2, 3], values], name);
    }
  }
});

for (const [name, base64] of Object.entries(golden.refused)) {
  const messages: Record<string, RegExp> = {
    system: /asks for posix\.system\. It is not run/,
    eval: /asks for builtins\.eval\. It is not run/,
    getattr: /asks for builtins\.getattr|asks for __builtin__\.getattr/,
    ndarray: /integers of 32 bits, got numpy's ndarray in list 0/,
    fraction: /BINFLOAT, a fraction/,
    dictionary: /EMPTY_DICT, a dictionary/,
    text: /lists of integers, got 'abc' as item 0/,
    none: /integers of 32 bits, got null in list 0/,
    nested: /integers of 32 bits, got a list in list 0/,
    large: /integers of 32 bits, got 2147483648 in list 0/,
    huge: /integers of 32 bits, got one of 26 bytes/,
    numbers: /an array of type 'i8'/,
    list: /an array of lists of integers, got a list/,
    set: /EMPTY_SET, a set/,
    shape: /one list after the other, shape \[2,1\]/,
    complex: /numbers or lists of integers, got type 'c16'/,
    bigEndian: /little-endian numbers/,
    wide: /integers of 32 bits, got 1099511627776/,
  };
  test(`refuses a NumPy file: ${name}`, () =>
    rejects(() => readNpy("test", "x.npy", bytesOf(base64)), messages[name]));
}

test("a file that breaks off anywhere is refused, in our words", async () => {
  for (const name of ["lists", "i8", "f4"]) {
    const whole = bytesOf(golden.arrays[name]);
    for (let length = 0; length < whole.length; length++) {
      await rejects(() => readNpy("test", "x.npy", whole.subarray(0, length)), /x\.npy/);
    }
  }
});

test("bytes changed at random are read or refused, never anything else", () => {
  const whole = bytesOf(golden.arrays.lists);
  let state = 12345;
  for (let n = 0; n < 4000; n++) {
    const changed = whole.slice();
    for (let k = 0; k < 2; k++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      changed[(state >>> 8) % changed.length] = state >>> 24;
    }
    try {
      readNpy("test", "x.npy", changed);
    } catch (error) {
      if ((error as Error).name !== "UnreelError") throw error;
    }
  }
});

test("an .npz that breaks off, lacks an array, or unpacks to too much", async () => {
  const npz = zipSync({ "x.npy": bytesOf(golden.arrays.lists) });
  assert.is((await readNpz("test", "x.npz", npz, ["x"])).length, 1);
  await rejects(
    () => readNpz("test", "x.npz", npz.subarray(0, npz.length - 30), ["x"]),
    /x\.npz: expected a whole zip archive/,
  );
  await rejects(() => readNpz("test", "x.npz", npz, ["y"]), /x\.npz: an array 'y', got none/);
  const lying = npz.slice();
  const view = new DataView(lying.buffer);
  for (let i = 0; i < lying.length - 4; i++) {
    if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 2 ** 30, true);
  }
  await rejects(
    () => readNpz("test", "x.npz", lying, ["x"]),
    /x\.npy: expected at most \d+ bytes unpacked, got 1073741824/,
  );
});

const lists = zipSync({ "x.npy": bytesOf(golden.arrays.lists), "y.npy": bytesOf(golden.arrays.i4) });
const refusals: [string, () => unknown, RegExp][] = [
  [
    "labels that do not fit",
    () => datasets.reuters.load({ path: lists }),
    /lists of ids and as many integers/,
  ],
  ["numWords 0", () => datasets.imdb.load({ numWords: 0 }), /numWords: expected an integer, 1 or more/],
  ["skipTop NaN", () => datasets.imdb.load({ skipTop: Number.NaN }), /skipTop: expected a number/],
  ["a negative maxlen", () => datasets.imdb.load({ maxlen: -1 }), /maxlen: expected an integer/],
  ["seed 2^32", () => datasets.imdb.load({ seed: 2 ** 32 }), /seed: expected a number in/],
  ["seed 0.5", () => datasets.imdb.load({ seed: 0.5 }), /seed: expected an integer/],
  ["testSplit 2", () => datasets.reuters.load({ testSplit: 2 }), /testSplit: expected a number in/],
  ["an unknown option", () => datasets.imdb.load({ num_words: 3 } as never), /Did you mean 'numWords'\?/],
  [
    "a word index that is a list",
    () => datasets.imdb.getWordIndex({ path: strToU8("[1]") }),
    /an object of words and ids/,
  ],
  [
    "a word index with texts",
    () => datasets.imdb.getWordIndex({ path: strToU8('{"a":"b"}') }),
    /integers as ids, got 'b' for 'a'/,
  ],
  [
    "a word index that is no JSON",
    () => datasets.imdb.getWordIndex({ path: strToU8("{") }),
    /imdb_word_index\.json: JSON/,
  ],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => rejects(attempt, message));
}

withData("a maxlen that leaves no text", ["keras-npz/reuters.npz"], () =>
  rejects(
    () => datasets.reuters.load({ path: new URL("keras-npz/reuters.npz", DATA), maxlen: 1 }),
    /the length of the shortest/,
  ),
);

test.after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});
test.run();
