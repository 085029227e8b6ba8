// The part of the engines' bench that runs in Node, Deno and Bun; browsers import the same rows (browsers.js).
import { canRun, measureKernel } from "../../build/bench/engineRows.js";
import { answer } from "../lines.js";

await answer(({ name, build, peak, quick }) =>
  name ? measureKernel(name, build, peak, quick) : { simd: canRun("simd"), relaxed: canRun("relaxed") },
);
