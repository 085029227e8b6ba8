// The shapes that are measured, read from shapes.json: bench/peers/ reads the same file, so both speak of the same work.
import { readFileSync } from "node:fs";
import type { Shapes } from "./shapes.js";

/** From build/bench. */
export const shapes = JSON.parse(
  readFileSync(new URL("../../bench/shapes.json", import.meta.url), "utf8"),
) as Shapes;
