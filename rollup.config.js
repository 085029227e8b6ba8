// Bundles build/src into dist, in three forms:
//   unreel.js      one module, with names that can be read: what Node, Deno and Bun load; command.js, the command `unreel`
// and for the package (PACKAGE=1, scripts/build.js --package)
//   modules/       a module for each file, from which bundlers take what is used
//   unreel.min.js  one small module for <script type="module"> and CDNs
//   slim.js, slim.min.js: the same without kernels
// What only some calls need stays a dynamic import, in chunks/.
import { readFileSync } from "node:fs";
import resolve from "@rollup/plugin-node-resolve";
import { minify } from "terser";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const installed = Object.keys(dependencies);
const isNode = (id) => id.startsWith("node:") || id === "binaryen" || id === "cli-progress";
const isInstalled = (id) => installed.some((name) => id === name || id.startsWith(`${name}/`));

/** The kernels that are inlined, left out: the user hands them over (configure({ kernels })). */
const withoutKernels = {
  name: "without kernels",
  load: (id) => (id.endsWith("/wasm/inlined.js") ? "export const inlined = undefined;" : undefined),
};

const input = "build/src/index.js";
const named = (name, chunks) => ({
  dir: "dist",
  format: "es",
  entryFileNames: name,
  chunkFileNames: `${chunks}/[name].js`,
});
/** h5wasm's chunk is small already, and mostly a module in base64. */
const small = {
  name: "small",
  renderChunk: (code) =>
    code.length > 2_000_000 ? null : minify(code, { module: true, compress: { passes: 2 } }),
};

const forNode = (id) => isNode(id) || isInstalled(id);
const host = {
  input: { unreel: input, command: "build/src/command/main.js" },
  external: forNode,
  plugins: [resolve()],
  output: [named("[name].js", "chunks")],
};

export default process.env.PACKAGE
  ? [
      {
        ...host,
        output: [
          ...host.output,
          { dir: "dist/modules", format: "es", preserveModules: true, preserveModulesRoot: "build/src" },
        ],
      },
      { ...host, input, plugins: [withoutKernels, resolve()], output: named("slim.js", "chunks/slim") },
      {
        input,
        external: isNode,
        plugins: [resolve({ browser: true }), small],
        output: named("unreel.min.js", "chunks/min"),
      },
      {
        input,
        external: isNode,
        plugins: [withoutKernels, resolve({ browser: true }), small],
        output: named("slim.min.js", "chunks/min-slim"),
      },
    ]
  : host;
