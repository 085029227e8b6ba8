// Builds everything: kernels (AssemblyScript), the inlined kernels, the library, tests, benches and examples (TypeScript), and
// the bundle (with --package all that npm pack ships). Steps whose inputs are older than their output are skipped, so a second build is quick.
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateRawSync } from "node:zlib";

process.chdir(new URL("..", import.meta.url).pathname);
const bin = (name) => join("node_modules", ".bin", name);

function newest(paths) {
  let latest = 0;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const { mtimeMs } = statSync(path);
    const inner = statSync(path).isDirectory()
      ? newest(readdirSync(path).flatMap((name) => (name === "node_modules" ? [] : [join(path, name)])))
      : mtimeMs;
    latest = Math.max(latest, inner);
  }
  return latest;
}

function isStale(output, inputs) {
  return !existsSync(output) || statSync(output).mtimeMs < newest(inputs);
}

function step(name, output, inputs, make) {
  if (!isStale(output, inputs)) return;
  const start = performance.now();
  make();
  console.log(`built ${name} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

const wasm = (build) => `build/kernels/${build}.wasm`;
const forward = (build) => `build/kernels/${build}.forward.wasm`;
mkdirSync("build/kernels", { recursive: true });
const BUILDS = ["simd", "relaxed", "wide"];
const stale = BUILDS.filter((build) =>
  isStale(wasm(build), ["assembly", "asconfig.json", "scripts/calls.js"]),
);

/**
 * A constant with the same word in all lanes as that word and a splat: 4 to 8 bytes instead of 18, and no slower. The compiler's own
 * passes make constants of all of them. Not for the wide build, of which size is not asked and whose pairs V8 must see.
 */
async function splatConstants(build) {
  const { default: binaryen } = await import("binaryen");
  const text = readFileSync(`build/kernels/${build}.wat`, "utf8");
  const module = binaryen.parseText(
    text.replace(/v128\.const i32x4 (0x[0-9a-f]+) \1 \1 \1/g, "i32.const $1\n i32x4.splat"),
  );
  module.setFeatures(binaryen.Features.All);
  writeFileSync(wasm(build), module.emitBinary());
  module.dispose();
}

if (stale.length > 0) {
  const start = performance.now();
  await Promise.all(
    stale.map((build) =>
      promisify(execFile)(process.execPath, [
        "node_modules/.bin/asc",
        "--config",
        "asconfig.json",
        "--target",
        build,
        // Here, for a path in asconfig.json loses its "./" and is looked for among packages.
        "--transform",
        "./scripts/calls.js",
      ]),
    ),
  ).catch(({ stdout, stderr }) => {
    console.error(`${stdout}${stderr}`);
    process.exit(1);
  });
  for (const build of stale) if (build !== "wide") await splatConstants(build);
  console.log(`built kernels ${stale.join(", ")} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
/** Exports that a prediction never calls: the ways back, updates, losses, what is random. */
const TRAINING = [
  /(Backward|Keep|Loss|entropy|hinge|penalty|orthogonality|Error)$/i,
  /^(sgd|rmsprop|adam|adamax|adadelta|lion|decayWeights|updateRows|clipBy\w+|embeddingScatterAdd|sumSquares|movingAverage)$/,
  /^(cosineSimilarity|huber|logCosh|poisson|kullbackLeiblerDivergence|tversky|weightedSum|leftWeights|maskedWeights)$/,
  /^(categoricalCrossentropy|binaryCrossentropy|sparseCategoricalCrossentropy)/,
  /^(dropout|gaussianNoise|uniform)$/,
];

/** The kernels of the way forward alone, for unreel/infer. */
async function forwardOnly(build) {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.readBinary(readFileSync(wasm(build)));
  module.setFeatures(binaryen.Features.All);
  const names = Array.from(
    { length: module.getNumExports() },
    (_, n) => binaryen.getExportInfo(module.getExportByIndex(n)).name,
  );
  for (const name of names) if (TRAINING.some((pattern) => pattern.test(name))) module.removeExport(name);
  module.runPasses(["remove-unused-module-elements"]);
  writeFileSync(forward(build), module.emitBinary());
  module.dispose();
}
for (const build of ["simd", "relaxed"])
  if (isStale(forward(build), [wasm(build), "scripts/build.js"])) await forwardOnly(build);

/** Modules are cut into so many pieces each, which stand in turns: builds are alike, and deflate looks back no further than 32 KB. */
const PIECES = 8;

function inTurns(modules) {
  const pieces = [];
  for (let piece = 0; piece < PIECES; piece++) {
    const at = (part, { length }) => Math.floor((part * length) / PIECES);
    for (const module of modules) pieces.push(module.subarray(at(piece, module), at(piece + 1, module)));
  }
  return Buffer.concat(pieces);
}

const INLINED = {
  inlined: { simd: wasm("simd"), relaxed: wasm("relaxed") },
  inlinedForward: { simd: forward("simd"), relaxed: forward("relaxed") },
  inlinedWide: { wide: wasm("wide") },
};
for (const [file, builds] of Object.entries(INLINED)) {
  step(`${file} kernels`, `src/wasm/${file}.ts`, [...Object.values(builds), "scripts/build.js"], () => {
    const modules = Object.values(builds).map((path) => readFileSync(path));
    const sizes = Object.fromEntries(Object.keys(builds).map((build, n) => [build, modules[n].length]));
    const text = deflateRawSync(inTurns(modules), { level: 9 }).toString("base64");
    writeFileSync(
      `src/wasm/${file}.ts`,
      `// Generated from assembly/ by scripts/build.js. Do not edit.\nexport const inlined = ${JSON.stringify({ sizes, pieces: PIECES, text })};\n`,
    );
  });
}
const workerFiles = ["worker", "calls", "control"].map((name) => `src/wasm/${name}.ts`);
step("worker", "src/wasm/workerSource.ts", [...workerFiles, "tsconfig.worker.json"], () => {
  execFileSync(bin("tsc"), ["-p", "tsconfig.worker.json"], { stdio: "inherit" });
  const source = execFileSync(bin("rollup"), ["build/worker/wasm/worker.js", "--format", "iife", "--silent"]);
  writeFileSync(
    "src/wasm/workerSource.ts",
    `// Generated from worker.ts by scripts/build.js. Do not edit.\nexport const workerSource = ${JSON.stringify(`${source}`)};\n`,
  );
});
step("TypeScript", "build/.done", ["src", "tests", "bench", "examples", "tsconfig.json"], () => {
  execFileSync(bin("tsc"), ["-p", "."], { stdio: "inherit" });
  writeFileSync("build/.done", "");
});
const forPackage = process.argv.includes("--package");
step(
  "bundle",
  forPackage ? "dist/unreel.min.js" : "dist/unreel.js",
  ["build/.done", "rollup.config.js", "package.json"],
  () => {
    rmSync("dist", { recursive: true, force: true });
    execFileSync(bin("rollup"), ["-c", "--silent"], {
      stdio: "inherit",
      env: { ...process.env, ...(forPackage && { PACKAGE: "1" }) },
    });
    // Their declarations would repeat all their bytes as types.
    for (const file of Object.keys(INLINED))
      writeFileSync(
        `build/src/wasm/${file}.d.ts`,
        "export declare const inlined: { sizes: Record<string, number>; pieces: number; text: string };\n",
      );
    cpSync("build/src", "dist/types", { recursive: true, filter: (path) => !path.endsWith(".js") });
    for (const build of BUILDS) copyFileSync(wasm(build), `dist/kernels.${build}.wasm`);
    // Where this folder is installed, the command is a link to it.
    chmodSync("dist/command.js", 0o755);
  },
);
