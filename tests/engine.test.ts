// The engine as users configure it: kernels of their own, and what goes wrong while they load. What kernels compute is elsewhere.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { configure, engineInfo, layers, sequential } from "../src/index.js";
import { chooseBuild, kernelBytes } from "../src/wasm/kernels.js";

const build = chooseBuild(false) as "simd" | "relaxed";

test("kernels that are none are refused, and better ones are taken after them", async () => {
  const bytes = await kernelBytes(build);
  // An engine that is loaded stays; another number of threads asks for a new one.
  await engineInfo();
  try {
    configure({ kernels: { [build]: new Uint8Array(1) }, threads: 63 });
    assert.match(
      (await engineInfo()).threadsReason ?? "",
      /No thread could be started: .*a module to compile/,
    );
    configure({ kernels: { [build]: new TextEncoder().encode("<!doctype html>") }, threads: 62 });
    assert.match((await engineInfo()).threadsReason ?? "", /got a page of HTML\. Is the address right\?/);
  } finally {
    configure({ kernels: { [build]: bytes }, threads: 1 });
  }
  assert.is((await engineInfo()).build, build);
  const net = sequential([layers.dense({ units: 1, inputShape: [1], kernelInitializer: "ones" })]);
  assert.equal((await net.predict([[2]])).toArray(), [[2]]);
  net.dispose();
});

test("settings of kernels are checked before anything is changed", () => {
  assert.throws(
    () => configure({ kernels: { fast: new Uint8Array(1) } as never }),
    /\{ simd, relaxed \}.*fast/,
  );
  assert.throws(() => configure({ kernels: null as never }), /configure: kernels/);
});

test("engineInfo tells of the settings at its call", async () => {
  const asked = engineInfo();
  configure({ deterministic: true });
  const { deterministic } = await asked;
  configure({ deterministic: false });
  assert.is(deterministic, false);
});

test.run();
