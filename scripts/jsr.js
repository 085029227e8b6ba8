// The package as JSR has it, in build/jsr: the compiled modules, their types, and what they take from npm.
// `deno publish` from there puts it into the registry.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
export const folder = join(root, "build/jsr");

export function makeJsr() {
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(root, "build/src"), folder, { recursive: true, filter: (path) => !path.endsWith("/command") });
  // Types know types: what modules say of theirs is asked for at the entries alone.
  for (const file of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replace(/((?:from|import\()\s*"\.[^"]*)\.js"/g, '$1.d.ts"'));
  }
  for (const entry of ["index", "infer"]) {
    const path = join(folder, `${entry}.js`);
    writeFileSync(path, `/* @ts-self-types="./${entry}.d.ts" */\n${readFileSync(path, "utf8")}`);
  }
  for (const file of ["README.md", "LICENSE"]) cpSync(join(root, file), join(folder, file));
  const { version, license, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const imports = Object.entries(dependencies).flatMap(([name, range]) => [
    [name, `npm:${name}@${range}`],
    [`${name}/`, `npm:/${name}@${range}/`],
  ]);
  const jsr = {
    name: "@unreel/unreel",
    version,
    license,
    exports: { ".": "./index.js", "./infer": "./infer.js" },
    imports: Object.fromEntries(imports),
  };
  writeFileSync(join(folder, "jsr.json"), `${JSON.stringify(jsr, null, 2)}\n`);
}
