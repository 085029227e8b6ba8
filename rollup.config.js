// Bundles build/src into dist, in three forms:
//   unreel.js      one module, with names that can be read: what Node, Deno and Bun load; command.js, the command `unreel`
//   modules/       a module for each file, from which bundlers take what is used
//   unreel.min.js  one small module for <script type="module"> and CDNs
//   infer.js, infer/, infer.min.js: what runs saved models, in the same three forms, with the kernels of the way forward
//   slim.js, slim/, slim.min.js: all but kernels
// The small ones only for npm pack (PACKAGE=1). What only some calls need stays a dynamic import, in chunks/.
import { readFileSync } from "node:fs";
import { resolve as resolvePath } from "node:path";
import resolve from "@rollup/plugin-node-resolve";
import { minify } from "terser";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const installed = Object.keys(dependencies);
const isNode = (id) => id.startsWith("node:") || id === "binaryen" || id === "cli-progress";
const isInstalled = (id) => installed.some((name) => id === name || id.startsWith(`${name}/`));

const input = "build/src/index.js";
const infer = "build/src/infer.js";

/** Other kernels than all of them. */
const inlining = (code) => ({
  name: "kernels",
  load: (id) => (id.endsWith("/wasm/inlined.js") ? code() : undefined),
});
/** None: the user hands them over (configure({ kernels })). */
const withoutKernels = inlining(() => "export const inlined = undefined;");
const forwardKernels = inlining(() => readFileSync("build/src/wasm/inlinedForward.js", "utf8"));
/** Models that are only run are not written, and what they were compiled with is passed over: HDF5's library alone would be 5 MB of a bundle
 * that is one file. */
const withoutWriting = {
  name: "reading only",
  load: (id) =>
    /\/(formats\/(hdf5Write|onnx\/write|keras\/(writeGraph|compile|optimizerState|legacyTraining)|tfjs\/training)|program\/emit)\.js$/.test(
      id,
    )
      ? { code: "export default {};", syntheticNamedExports: true }
      : undefined,
};
const forInfer = [forwardKernels, withoutWriting];

/** What an entry needs at once is one file, whatever is imported later as well; files of a few hundred bytes are joined. */
const named = (name, chunks) => ({
  dir: "dist",
  format: "es",
  entryFileNames: name,
  chunkFileNames: `${chunks}/[name].js`,
  experimentalMinChunkSize: 4000,
  manualChunks(id, { getModuleInfo }) {
    return atOnce(getModuleInfo).has(id) ? "main" : undefined;
  },
});

/** Modules that an entry imports, and those that these import, of each build. */
const known = new WeakMap();
function atOnce(getModuleInfo) {
  if (!known.has(getModuleInfo)) known.set(getModuleInfo, reached(getModuleInfo));
  return known.get(getModuleInfo);
}
function reached(getModuleInfo) {
  const found = new Set();
  const follow = (id) => {
    if (found.has(id)) return;
    found.add(id);
    getModuleInfo(id)?.importedIds.forEach(follow);
  };
  for (const entry of [input, infer]) {
    const id = resolvePath(entry);
    if (getModuleInfo(id)) follow(id);
  }
  return found;
}
const small = {
  name: "small",
  renderChunk: (code) => minify(code, { module: true, compress: { passes: 2 } }),
};

const forNode = (id) => isNode(id) || isInstalled(id);
const host = { external: forNode, plugins: [resolve()] };
/** What pages load of HDF5 lies once beside all forms: it is large. */
const page = { external: (id) => isNode(id) || id === "h5wasm" };
const paged = (name, chunks) => ({ ...named(name, chunks), paths: { h5wasm: "../h5wasm.js" } });
const whole = {
  ...host,
  input: { unreel: input, command: "build/src/command/main.js" },
  output: [named("[name].js", "chunks")],
};
/** A module for each file. */
const asFiles = (dir) => ({ dir, format: "es", preserveModules: true, preserveModulesRoot: "build/src" });

/** What a project that this folder is installed into needs. */
const linked = [
  whole,
  { ...host, input, output: asFiles("dist/modules") },
  {
    ...host,
    input: { infer },
    plugins: [...forInfer, resolve()],
    output: [named("[name].js", "chunks/infer"), asFiles("dist/infer")],
  },
  {
    ...host,
    input: { slim: input },
    plugins: [withoutKernels, resolve()],
    output: [named("[name].js", "chunks/slim"), asFiles("dist/slim")],
  },
];

export default process.env.PACKAGE
  ? [
      ...linked,
      {
        ...page,
        input,
        plugins: [resolve({ browser: true }), small],
        output: paged("unreel.min.js", "chunks/min"),
      },
      {
        ...page,
        input: infer,
        plugins: [...forInfer, resolve({ browser: true }), small],
        output: paged("infer.min.js", "chunks/min-infer"),
      },
      {
        external: isNode,
        input: { h5wasm: "h5wasm" },
        plugins: [resolve({ browser: true })],
        output: named("chunks/[name].js", "chunks"),
      },
      {
        ...page,
        input,
        plugins: [withoutKernels, resolve({ browser: true }), small],
        output: paged("slim.min.js", "chunks/min-slim"),
      },
    ]
  : linked;
