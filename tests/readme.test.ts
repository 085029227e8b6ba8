// What README.md shows runs as it stands, and passes TypeScript's strict checks: each piece that begins with an import, as a program
// beside an installed package. A piece that goes on with the first one's model is run behind it. So do the right column of the table
// of Keras' names, and what tests/userTypes.ts says of the types that users see.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { root } from "./support.js";

const text = readFileSync(new URL("README.md", root), "utf8");
const pieces = [...text.matchAll(/```js\n(import [\s\S]*?)```/g)].map(([, code]) => code);
const [first] = pieces;
const folder = mkdtempSync(join(tmpdir(), "unreel-readme-"));
mkdirSync(join(folder, "node_modules"));
symlinkSync(fileURLToPath(root), join(folder, "node_modules", "unreel"), "dir");
test.after(() => rmSync(folder, { recursive: true, force: true }));

/** The names that a piece imports, and what follows. */
function taken(piece: string): { names: string[]; rest: string } {
  const [line, names] = /^import \{([^}]*)\} from "unreel";\n/.exec(piece)!;
  return { names: names.split(",").map((name) => name.trim()), rest: piece.slice(line.length) };
}

/** A piece as a program. */
function program(piece: string, index: number): string {
  const goesOn = index > 0 && /\bmodel\.(?!apply)/.test(piece) && !/const model\b/.test(piece);
  if (!goesOn) return piece;
  const [before, after] = [taken(first), taken(piece)];
  const names = [...new Set([...before.names, ...after.names])];
  return `import { ${names.join(", ")} } from "unreel";\n${before.rest}\n${after.rest}`;
}

/** Runs a program; gives what it prints. */
function printed(name: string, code: string): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, code);
  const env = { ...process.env, FORCE_COLOR: "0" };
  const { status, stderr, stdout } = spawnSync(process.execPath, [file], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  assert.is(status, 0, stderr);
  return stdout;
}

pieces.forEach((piece, index) => {
  const title = piece.split("\n").find((line) => line && !line.startsWith("import"));
  test(`README: ${title}`, () => {
    const stdout = printed(`piece${index}`, program(piece, index));
    if (index === 0) assert.match(stdout, /^1 \[ \[ 0\.9/, stdout);
  });
});

/** What stands in the right column of the table, as one program: each row goes on with the names of those above. */
function table(): string {
  const rows = [...text.matchAll(/^\| .*`[^|]* \| ([^|]*) \|$/gm)].map(([, right]) => right);
  const calls = rows
    .flatMap((right) => [...right.matchAll(/`([^`]+)`/g)].map(([, code]) => code))
    .filter((code) => code.includes("("));
  return `import { callbacks, data, input, layers, loadModel, model, sequence, sequential, setRandomSeed, text } from "unreel";
const [p, w] = ["table.keras", "table.weights.h5"];
const x = Array.from({ length: 10 }, (_, i) => [[i, 1], [2, i]]);
const y = x.map(([[i]]) => i % 2);
const texts = ["a b", "c"];
const rows = [[1, 2], [3]];
${calls.map((code) => (code.startsWith("await n.loadWeights") ? `await m.saveWeights(w);\n${code};` : `${code};`)).join("\n")}
console.log(${calls.length});
export {};
`;
}

test("README: what Keras' names are called here runs", () => {
  const start = text.indexOf("## Keras → unreel");
  const calls = Number(printed("table", table()).trim().split("\n").at(-1));
  assert.ok(start > 0 && calls >= 18, `${calls}`);
});

test("README's pieces and the types that users see pass TypeScript's strict checks", () => {
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const options = { target: "es2022", module: "nodenext", strict: true, noEmit: true, types: [] };
  const compilerOptions = { ...options, lib: ["es2023", "dom", "dom.iterable"] };
  const files = ["types.ts", "table.ts", ...pieces.map((_, index) => `piece${index}.ts`)];
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  pieces.forEach((piece, index) => {
    writeFileSync(join(folder, `piece${index}.ts`), program(piece, index));
  });
  writeFileSync(join(folder, "table.ts"), table());
  const types = readFileSync(new URL("tests/userTypes.ts", root), "utf8");
  writeFileSync(join(folder, "types.ts"), types.replaceAll("../src/index.js", "unreel"));
  const compiler = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
  assert.is(status, 0, stdout);
});

test("README has pieces that run", () => {
  assert.ok(pieces.length >= 4, `${pieces.length}`);
});

test.run();
