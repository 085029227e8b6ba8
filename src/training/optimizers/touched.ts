// The update of a table of which a step has touched a few rows (layers.embedding): as if its gradient were there in full, with zeros
// for all other rows, at the cost of the rows where the rule allows it. Kernels: assembly/touched.ts.
import type { Update } from "../../graph/training.js";
import type { Pointer } from "../../program/program.js";
import type { Emit, OptimizerKind } from "./optimizer.js";

/** The rules in the order of assembly/touched.ts. */
export const RULES = ["sgd", "rmsprop", "adam", "adamax", "adadelta", "lion"] as const;
export type Rule = (typeof RULES)[number];

/**
 * What a rule does to a number whose gradient is 0.
 * - stays: the number and its states are as before
 * - decays: the number is as before; its states are multiplied by the first number of the rule
 * - changes: anything else, because momentum moves it on
 */
export type Idle = "stays" | "decays" | "changes";

/** Emits the update of a table, like that of any weight. */
export function updateTable(
  emit: Emit,
  { kernel, numbers, idle }: OptimizerKind,
  states: readonly (Pointer | 0)[],
  { weight, gradient, touched }: Update,
  hyper: Pointer,
): void {
  const { rows, places, count, vocabulary, width, clock } = touched!;
  const [s0 = 0, s1 = 0, s2 = 0] = states;
  const [a = 0, b = 0, c = 0, d = 0] = numbers;
  const all = idle === "changes" ? places : 0;
  const since = idle === "stays" ? 0 : clock();
  const table = [weight, s0, s1, s2, gradient, vocabulary, width] as const;
  emit("updateRows", RULES.indexOf(kernel), ...table, hyper, a, b, c, d, rows, all, count, since);
}
