// Bundles build/src into dist: one ES module without anything to configure. What only some calls need stays a dynamic import.
import resolve from "@rollup/plugin-node-resolve";

export default {
  input: { unreel: "build/src/index.js", command: "build/src/command/main.js" },
  output: { dir: "dist", format: "es", entryFileNames: "[name].js", chunkFileNames: "chunks/[name].js" },
  external: ["cli-progress", "binaryen", "node:fs", "node:fs/promises", "node:util", "node:worker_threads"],
  plugins: [resolve()],
};
