// The house has floors: a file imports only from its own floor or from lower ones (ARCHITECTURE.md).
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "./support.js";

/** The first prefix that fits decides. */
const FLOORS: readonly [string, number][] = [
  ["errors.ts", 0],
  ["later.ts", 1],
  ["files.ts", 1],
  ["unread.ts", 1],
  ["crc32.ts", 1],
  ["zip.ts", 1],
  ["wasm/", 1],
  ["tensor.ts", 1],
  ["numerics.ts", 1],
  ["random.ts", 1],
  ["program/", 2],
  ["ops/", 3],
  ["layers/", 4],
  ["graph/", 5],
  ["training/", 6],
  ["data/", 6],
  ["decode/", 6],
  ["formats/", 7],
  ["model/", 8],
  ["index.ts", 9],
  ["infer.ts", 9],
  ["command/", 9],
];

function floorOf(file: string): number {
  const found = FLOORS.find(([prefix]) => file.startsWith(prefix));
  assert.ok(found, `src/${file} stands on no floor`);
  return found[1];
}

/** The files that a file imports, relative to its tree. */
function imports(tree: string, file: string, extension: RegExp): string[] {
  const text = readFileSync(new URL(`${tree}/${file}`, root), "utf8");
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)];
  return found.map(([, path]) => normalize(join(dirname(file), path)).replace(extension, ".ts"));
}

function files(tree: string): string[] {
  const all = readdirSync(new URL(`${tree}/`, root), { recursive: true }) as string[];
  return all.filter((file) => file.endsWith(".ts"));
}

test("no file of src imports from a higher floor", () => {
  const climbing: string[] = [];
  let seen = 0;
  for (const file of files("src")) {
    for (const imported of imports("src", file, /\.js$/)) {
      seen++;
      if (floorOf(imported) > floorOf(file)) climbing.push(`${file} -> ${imported}`);
    }
  }
  assert.ok(seen > 100, `${seen} imports were read`);
  assert.equal(climbing, []);
});

test("kernels import only kernels", () => {
  const leaving = files("assembly").flatMap((file) =>
    imports("assembly", file, /$/).filter((imported) => imported.startsWith("..")),
  );
  assert.equal(leaving, []);
});

/** Whether a file of the project, or one that it loads, is for Node alone. */
function needsNode(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false;
  seen.add(file);
  if (
    /from "node:|Buffer\.from|process\.(versions|env|memoryUsage)/.test(
      readFileSync(new URL(file, root), "utf8"),
    )
  ) {
    return !file.startsWith("src/");
  }
  return imports(".", file, /\.js$/).some(
    (imported) => !imported.startsWith("src/") && needsNode(imported, seen),
  );
}

test("every test that needs nothing of Node runs in every engine, and no other", () => {
  const portable = readFileSync(new URL("tests/portable.ts", root), "utf8");
  const wrong = files("tests")
    .filter((file) => file.endsWith(".test.ts"))
    .filter((file) => {
      const isThere = portable.includes(`import("./${file.replace(/\.ts$/, ".js")}")`);
      return isThere === needsNode(`tests/${file}`);
    });
  assert.equal(wrong, []);
});

test.run();
