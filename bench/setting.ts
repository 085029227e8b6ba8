// How unreel is set up for a run in Node, and what stands above its figures.
import { cpus } from "node:os";
import { setFlagsFromString } from "node:v8";
import { configure, engineInfo } from "../src/wasm/engine.js";
import { type Build, canRun } from "../src/wasm/kernels.js";
import type { Setting } from "./sections.js";

/** Configures the engine and says which build it runs. Without `build`: what a user of this Node gets. */
export async function chooseBuild({ build, wide }: { build?: string; wide: boolean }): Promise<Build> {
  if (build !== undefined && build !== "simd" && build !== "relaxed") {
    throw new Error(`--build: simd or relaxed, got ${build}`);
  }
  if (build === "relaxed" && !canRun("relaxed")) {
    // Node 20 has it behind a flag.
    setFlagsFromString("--experimental-wasm-relaxed-simd");
  }
  configure({ deterministic: build === "simd", wide });
  const info = await engineInfo();
  if (info.wide !== wide) throw new Error(`--wide: ${info.wideReason}`);
  return info.build;
}

/** With this Node and the machine. */
export function settingOf(own: Setting): Setting {
  const { node, v8 } = process.versions;
  return machine({ ...own, node, v8 });
}

export function machine(own: Setting): Setting {
  const [{ model }, ...others] = cpus();
  return { ...own, machine: model, cores: others.length + 1 };
}
