// CSV and lines: what is read, from where, and what is refused, with its line and column.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { csvParseRows } from "d3-dsv";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type CsvOptions, Dataset, type Source } from "../../src/data/index.js";
import { Random } from "../../src/random.js";
import { rejects } from "./golden.js";

const folder = mkdtempSync(join(tmpdir(), "csv-"));
const read = (source: Source, options?: CsvOptions) => Dataset.fromCsv(source, options).toArray();

const WEATHER = `time,temp,station,"wind, mean"
2013-01-01,39.5,JFK,10
2013-01-02,-3e1,"LGA, ""old""",8.5
2013-01-03,0,"two
lines",1
`;
const RECORDS = [
  { time: "2013-01-01", temp: 39.5, station: "JFK", "wind, mean": 10 },
  { time: "2013-01-02", temp: -30, station: 'LGA, "old"', "wind, mean": 8.5 },
  { time: "2013-01-03", temp: 0, station: "two\nlines", "wind, mean": 1 },
];

test("records with inferred types; quotes, delimiters and line breaks in fields", async () => {
  assert.equal(await read(WEATHER), RECORDS);
  assert.equal(await read(WEATHER.replaceAll("\n", "\r\n").replace("two\r\n", "two\n")), RECORDS);
  assert.equal(await read(`\ufeff${WEATHER}`.trimEnd()), RECORDS);
});

test("any chunks give the same records", async () => {
  const bytes = new TextEncoder().encode(
    `${WEATHER}한국,1,"é",2\n\n"",3,"""",4\n`.replace("2013-01-01", '"x"'),
  );
  const whole = await read(new TextDecoder().decode(bytes));
  assert.is(whole.length, 5);
  for (let size = 1; size < 40; size++) {
    const chunks = function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    assert.equal(await read(chunks), whole, `chunks of ${size}`);
  }
});

test("random tables: the fields that d3-dsv finds in the whole text, in chunks of any size", async () => {
  const random = new Random(11);
  const pieces = ["a", "b c", '""', ",", "\n", "\r\n", "é", "1.5", ""];
  for (let round = 0; round < 60; round++) {
    const newline = random.integer(2) ? "\n" : "\r\n";
    const rows = Array.from({ length: 1 + random.integer(12) }, () =>
      Array.from({ length: 3 }, () => {
        const inner = Array.from(
          { length: random.integer(4) },
          () => pieces[random.integer(pieces.length)],
        ).join("");
        return random.integer(2) ? `"${inner}"` : `x${inner.replace(/["\r\n,]/g, "")}`;
      }),
    );
    const text = `p,q,r${newline}${rows.map((row) => row.join(",")).join(newline)}${random.integer(2) ? newline : ""}`;
    const expected = csvParseRows(text).slice(1);
    const size = 1 + random.integer(9);
    const chunks = function* () {
      for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
    };
    const types = { p: "string", q: "string", r: "string" } as const;
    const found = (await read(chunks, { types })) as Record<string, string>[];
    assert.equal(
      found.map(({ p, q, r }) => [p, q, r]),
      expected,
      JSON.stringify(text),
    );
  }
});

test("tables without quotes: the same, whatever ends their lines", async () => {
  const random = new Random(12);
  const pieces = ["", "1", "x y", "é", ",", "\n", "\r\n", "\r", "\n\n"];
  for (let round = 0; round < 200; round++) {
    const body = Array.from({ length: random.integer(14) }, () => pieces[random.integer(pieces.length)]).join(
      "",
    );
    const text = `${body.replace(/,/g, "")}\n`;
    const size = 1 + random.integer(5);
    const chunks = function* () {
      yield "a\n";
      for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
    };
    const found = (await read(chunks, { types: { a: "string" } })) as { a: string }[];
    const expected = csvParseRows(text)
      .flat()
      .filter((field) => field !== "");
    assert.equal(
      found.map(({ a }) => a),
      expected,
      JSON.stringify(text),
    );
  }
  assert.equal(await read("a,b\n1,\n,2\n", { types: { a: "string", b: "string" } }), [
    { a: "1", b: "" },
    { a: "", b: "2" },
  ]);
});

test("useQuoteDelim: false reads quotes as they are", async () => {
  const text = 'p\tq\n"I am" here\t"\n\t""\nit"s\t"open\n';
  const expected = [
    { p: '"I am" here', q: '"' },
    { p: "", q: '""' },
    { p: 'it"s', q: '"open' },
  ];
  const types = { p: "string", q: "string" } as const;
  for (let size = 1; size <= text.length; size++) {
    const chunks = function* () {
      for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
    };
    assert.equal(await read(chunks, { delimiter: "\t", useQuoteDelim: false, types }), expected, `${size}`);
  }
  await rejects(() => read(text, { delimiter: "\t" }), /behind a quoted field, got ' ' in line 2/);
});

test("columns in order, labels, vectors, batches", async () => {
  const text = "a,b,c\n1,2,x\n3,4,y\n";
  assert.equal(await read(text, { columns: ["b", "a"], label: "c" }), [
    [{ b: 2, a: 1 }, "x"],
    [{ b: 4, a: 3 }, "y"],
  ]);
  const pairs = Dataset.fromCsv<[Float32Array, number]>(text, {
    label: "b",
    columns: ["a", "b"],
    vector: true,
  }).batch(2);
  const [[x, y]] = await pairs.toArray();
  assert.equal(
    [x.toArray(), y.toArray()],
    [
      [[1], [3]],
      [2, 4],
    ],
  );
  const [[, several]] = (await read(text, { columns: ["a"], label: ["b", "c"] })) as [unknown, object][];
  assert.equal(several, { b: 2, c: "x" });
  const [[, vector]] = (await read(text, { columns: ["b"], label: ["a", "b"], vector: true })) as [
    unknown,
    Float32Array,
  ][];
  assert.equal(vector, Float32Array.of(1, 2));
});

test("header, delimiter, types, encoding", async () => {
  assert.equal(await read("1;2\n3;4\n", { header: false, delimiter: ";" }), [
    { 0: 1, 1: 2 },
    { 0: 3, 1: 4 },
  ]);
  assert.equal(await read("1\n2\n", { header: false }), [{ 0: 1 }, { 0: 2 }]);
  assert.equal(await read("1\t2\n", { header: ["a", "b"], delimiter: "\t" }), [{ a: 1, b: 2 }]);
  const types = { a: "string", b: "boolean", c: (text: string) => text.length, d: "integer" } as const;
  assert.equal(await read("a,b,c,d\n01,TRUE,abc,-4\n", { types }), [{ a: "01", b: 1, c: 3, d: -4 }]);
  const korean = new Uint8Array([0x61, 0x0a, 0xb0, 0xa1, 0x0a]);
  assert.equal(await read(korean, { encoding: "euc-kr" }), [{ a: "가" }]);
});

test("missing values: refused, skipped, filled", async () => {
  const text = "a,b,s\n1,,x\n2,NA,\n3,4,y\n";
  const naValues = ["", "NA"];
  await rejects(
    () => read(text, { naValues }),
    /a value, got a missing one in line 2, column 'b'.*onMissing/,
  );
  assert.equal(await read(text, { naValues, onMissing: "skip" }), [{ a: 3, b: 4, s: "y" }]);
  assert.equal(await read(text, { naValues, onMissing: -1 }), [
    { a: 1, b: -1, s: "x" },
    { a: 2, b: -1, s: "" },
    { a: 3, b: 4, s: "y" },
  ]);
  assert.equal(await read(text, { naValues, onMissing: { b: Number.NaN, s: "?" }, columns: ["b", "s"] }), [
    { b: Number.NaN, s: "x" },
    { b: Number.NaN, s: "?" },
    { b: 4, s: "y" },
  ]);
  assert.equal(await read("a\n-999\n 7\n", { naValues: ["-999"], onMissing: "skip" }), [{ a: 7 }]);
  await rejects(() => read(text, { naValues, onMissing: { s: "?" } }), /line 2, column 'b'/);
});

test("the first 100 records decide about types, however they come", async () => {
  const lines = ["n", ...Array.from({ length: 99 }, (_, i) => `${i}`), "text", "1"].join("\n");
  const late = ["n", ...Array.from({ length: 100 }, (_, i) => `${i}`), "text"].join("\n");
  for (const size of [1, 7, 1000]) {
    const chunks = (text: string) =>
      function* () {
        for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
      };
    assert.equal((await read(chunks(lines))).at(-1), { n: "1" });
    await rejects(
      () => read(chunks(late)),
      /a number, got 'text' in line 102, column 'n'.*types: \{ n: 'string' \}/,
    );
  }
});

test("paths, file URLs, gzip, bytes, blobs, responses, streams, servers", async () => {
  const path = join(folder, "weather.csv");
  writeFileSync(path, WEATHER);
  const packed = join(folder, "weather.csv.gz");
  writeFileSync(packed, gzipSync(WEATHER));
  const bytes = new TextEncoder().encode(WEATHER);
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/missing" ? 404 : 200;
    response.end(request.url === "/gz" ? gzipSync(WEATHER) : WEATHER);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const source of [
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      packed,
      bytes,
      new Uint8Array(gzipSync(WEATHER)),
      new Blob([WEATHER]),
      new Blob([gzipSync(WEATHER)]).stream(),
      new Response(WEATHER),
      () => fetch(url),
      url,
      new URL(`${url}/gz`),
      `data:text/csv,${encodeURIComponent(WEATHER)}`,
      async () => new Blob([WEATHER]).stream(),
    ] as Source[]) {
      assert.equal(await read(source), RECORDS);
    }
    await rejects(() => read(`${url}/missing`), /expected a file at .*missing, got 404/);
    const twice = Dataset.fromCsv(url);
    assert.equal(await twice.toArray(), await twice.toArray());
    const once = Dataset.fromCsv(new Response(WEATHER));
    await once.toArray();
    await rejects(() => once.toArray(), /a stream that was not read before.*\(\) => fetch\(url\)/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
  await rejects(() => read(url), /a URL that answers/);
  await rejects(() => read(join(folder, "none.csv")), /a file that can be read.*none\.csv.*ENOENT/);
  writeFileSync(packed, gzipSync(WEATHER).subarray(0, 60));
  await rejects(() => read(packed), /whole gzipped data/);
});

test("lines: none behind the last break, empty ones count, \\r\\n is one break", async () => {
  assert.equal(await Dataset.fromLines("a\r\n\nb\n").toArray(), ["a", "", "b"]);
  assert.equal(await Dataset.fromLines("a\nb").toArray(), ["a", "b"]);
  const chunks = () => ["a\r", "\nb", "b\n", "\n"];
  assert.equal(await Dataset.fromLines(chunks).toArray(), ["a", "bb", ""]);
  const path = join(folder, "lines.txt");
  writeFileSync(path, "줄\n".repeat(100_000));
  let count = 0;
  for await (const line of Dataset.fromLines(path)) {
    if (line !== "줄") assert.unreachable(line);
    count++;
  }
  assert.is(count, 100_000);
});

test("a file that is left early is closed", async () => {
  const path = join(folder, "early.csv");
  writeFileSync(path, `a\n${"1\n".repeat(500_000)}`);
  for (let i = 0; i < 5; i++) {
    for await (const record of Dataset.fromCsv(path)) {
      assert.equal(record, { a: 1 });
      break;
    }
  }
  const { readdirSync, readlinkSync } = await import("node:fs");
  let open: string[] = [];
  try {
    open = readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return [];
      }
    });
  } catch {
    return; // Only Linux says which files are open.
  }
  assert.equal(
    open.filter((name) => name.endsWith("early.csv")),
    [],
  );
});

const refusals: [string, () => unknown, RegExp][] = [
  [
    "a quote that never closes",
    () => read('a,b\n1,"x\n2,y\n'),
    /quotes that close, got one that never does, in line 2/,
  ],
  ["text behind a quote", () => read('a,b\n1,x\n2,"y"z\n'), /behind a quoted field, got 'z' in line 3/],
  [
    "a missing field",
    () => read('a,b,c\n"x\ny",2,3\n4,5\n'),
    /3 fields, got 2 in line 4: column 'c' is missing/,
  ],
  ["a field too many", () => read("a,b\n1,2\n\n1,2,3\n"), /2 fields, got 3 in line 4/],
  [
    "an unknown column",
    () => read("time,temp\n1,2\n", { columns: ["tmp"] }),
    /a column 'tmp'.*Did you mean 'temp'\?/,
  ],
  ["an unknown label", () => read("a,b\n1,2\n", { label: "c" }), /a column 'c', got the columns 'a', 'b'/],
  ["types of an unknown column", () => read("a\n1\n", { types: { b: "string" } }), /a column 'b'/],
  ["a name twice", () => read("a,a\n1,2\n"), /a name of its own for each column, got 'a' twice/],
  ["an unknown type", () => read("a\n1\n", { types: { a: "int" as never } }), /types\.a.*'integer'/],
  [
    "a text as number",
    () => read("a\n1\nx\n", { types: { a: "number" } }),
    /a number, got 'x' in line 3, column 'a'/,
  ],
  ["infinity", () => read("a\ninf\n", { types: { a: "number" } }), /a number, got 'inf' in line 2/],
  [
    "a fraction as integer",
    () => read("a\n1.5\n", { types: { a: "integer" } }),
    /an integer, got '1\.5' in line 2/,
  ],
  ["yes as boolean", () => read("a\nyes\n", { types: { a: "boolean" } }), /true, false, 1 or 0, got 'yes'/],
  [
    "a function that gives nothing",
    () => read("a\n1\n", { types: { a: (() => undefined) as never } }),
    /return a number or a text/,
  ],
  [
    "texts in vectors",
    () => read("a\nx\n", { vector: true }),
    /columns of numbers, got 'x' in line 2, column 'a'/,
  ],
  [
    "two characters as delimiter",
    () => read("a\n1\n", { delimiter: "::" }),
    /delimiter: expected one character/,
  ],
  [
    "quotes that count perhaps",
    () => read("a\n1\n", { useQuoteDelim: 0 as never }),
    /useQuoteDelim: expected true or false/,
  ],
  ["a quote as delimiter", () => read("a\n1\n", { delimiter: '"' }), /delimiter/],
  ["an unknown option", () => read("a\n1\n", { sep: ";" } as never), /got 'sep'/],
  [
    "an unknown way with missing values",
    () => read("a\n1\n", { onMissing: "drop" as never }),
    /onMissing: expected 'error', 'skip'/,
  ],
  ["an empty text", () => read("\n"), /records, got an empty text/],
  [
    "an unknown encoding",
    () => read("a\n1\n", { encoding: "utf-9" }).then(() => read(new Uint8Array([1]), { encoding: "utf-9" })),
    /encoding: expected an encoding/,
  ],
  ["other bytes", () => read(new Uint8Array([0x61, 0x0a, 0xff, 0xfe])), /text in utf-8.*option encoding/],
  ["a number as source", () => read(3 as never), /a path, a URL, a text/],
  [
    "a record that never ends",
    () =>
      read(function* () {
        yield 'a,b\n1,"';
        for (;;) yield "x".repeat(1 << 20);
      }),
    /records of at most 16777216 characters, got a longer one from line 2 on/,
  ],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => rejects(attempt, message));
}

test.after(() => rmSync(folder, { recursive: true }));
test.run();
