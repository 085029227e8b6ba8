// The builds of the kernels: no imports, no data but constants, one set of exports, and the numbers that the host repeats.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import binaryen from "binaryen";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ACTIVATION_KERNELS } from "../src/ops/activation.js";
import { GEMM_PACKED_SCRATCH_BYTES, GEMM_SCRATCH_BYTES, packedBytes } from "../src/ops/gemm.js";
import { canRun, chooseBuild, kernelBytes, loadKernels } from "../src/wasm/kernels.js";
import { root } from "./support.js";

const BUILDS = ["simd", "relaxed"] as const;
type Inlined = (typeof BUILDS)[number];
const bytes = { simd: await kernelBytes("simd"), relaxed: await kernelBytes("relaxed") };

function inspect<T>(build: Inlined, read: (module: binaryen.Module, text: string) => T): T {
  const module = binaryen.readBinary(bytes[build]);
  try {
    return read(module, module.emitText());
  } finally {
    module.dispose();
  }
}

for (const build of BUILDS) {
  test(`${build}: at most 64,000 bytes`, () => {
    const { length } = bytes[build];
    assert.ok(length <= 64_000, `${length} bytes`);
  });

  test(`${build}: no imports, no table, no global that changes, less than 1 KB of constants`, async () => {
    inspect(build, (_, text) => {
      assert.not.match(text, "(import ");
      assert.not.match(text, "call_indirect");
      assert.not.match(text, "(mut ");
    });
    // Data begin at 1024, where AssemblyScript puts them.
    if (canRun(build)) assert.ok((await loadKernels(build)).heapBase < 2048);
  });
}

test("both builds export the same", () => {
  const names = BUILDS.map((build) =>
    inspect(build, (module) =>
      Array.from(
        { length: module.getNumExports() },
        (_, index) => binaryen.getExportInfo(module.getExportByIndex(index)).name,
      ).sort(),
    ),
  );
  assert.equal(names[0], names[1]);
  for (const { kernel } of Object.values(ACTIVATION_KERNELS)) {
    assert.ok(names[0].includes(kernel) && names[0].includes(`${kernel}Backward`), kernel);
  }
});

test("relaxed instructions stand in the relaxed build only", () => {
  assert.not.match(
    inspect("simd", (_, text) => text),
    "relaxed",
  );
  assert.match(
    inspect("relaxed", (_, text) => text),
    "relaxed_madd",
  );
});

test("the files of the package are the inlined kernels", () => {
  for (const build of BUILDS) {
    const file = readFileSync(new URL(`build/kernels/${build}.wasm`, root));
    assert.ok(Buffer.from(bytes[build]).equals(file));
  }
});

test("scratch sizes of the host are those of the kernels", async () => {
  const module = await WebAssembly.instantiate(await WebAssembly.compile(bytes.simd), {});
  const constant = (name: string) => (module.exports[name] as WebAssembly.Global).value;
  assert.is(constant("GEMM_SCRATCH_BYTES"), GEMM_SCRATCH_BYTES);
  assert.is(constant("GEMM_PACKED_SCRATCH_BYTES"), GEMM_PACKED_SCRATCH_BYTES);
  const packed = module.exports.packedBytes as (K: number, N: number) => number;
  for (const K of [1, 3, 128])
    for (const N of [1, 8, 16, 17, 100]) assert.is(packedBytes(K, N), packed(K, N));
});

test("deterministic mode takes the simd build", async () => {
  assert.is(chooseBuild(true), "simd");
  assert.is((await loadKernels("simd")).build, "simd");
});

test("the generated micro-kernels are those of their generator", () => {
  const script = fileURLToPath(new URL("scripts/generate-micro.js", root));
  execFileSync(process.execPath, [script, "--check"], { stdio: "pipe" });
});

test.run();
