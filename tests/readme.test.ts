// What README.md shows runs as it stands: each piece that begins with an import, as a program beside an installed package. A piece
// that goes on with the first one's model is run behind it.
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

pieces.forEach((piece, index) => {
  const title = piece.split("\n").find((line) => line && !line.startsWith("import"));
  test(`README: ${title}`, () => {
    let code = piece;
    if (index > 0 && /\bmodel\.(?!apply)/.test(piece) && !/const model\b/.test(piece)) {
      const [before, after] = [taken(first), taken(piece)];
      const names = [...new Set([...before.names, ...after.names])];
      code = `import { ${names.join(", ")} } from "unreel";\n${before.rest}\n${after.rest}`;
    }
    const file = join(folder, `piece${index}.mjs`);
    writeFileSync(file, code);
    const env = { ...process.env, FORCE_COLOR: "0" };
    const { status, stderr, stdout } = spawnSync(process.execPath, [file], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    assert.is(status, 0, stderr);
    if (index === 0) assert.match(stdout, /^1 \[ \[ 0\.9/, stdout);
  });
});

test("README has pieces that run", () => {
  assert.ok(pieces.length >= 4, `${pieces.length}`);
});

test.run();
