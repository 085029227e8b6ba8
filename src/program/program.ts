// What a program is: a list of kernel calls whose addresses are known before it runs, up to the run-time dimensions.
// Programs are plain data: planned (plan.ts), run by the host (run.ts), emitted as a module (emit.ts), printed (here).
import { quotientOf, Size } from "./size.js";

/** What addresses are relative to: weights, what only training needs (gradients, optimizer slots), states that are kept between
 * runs, weights packed for products, and working memory. */
export const BASES = ["weights", "training", "state", "packed", "work"] as const;
export type Base = (typeof BASES)[number];

/** A block of memory in a program. Weights and training state have their place from the start; working memory is planned. */
export interface Storage {
  readonly name: string;
  readonly base: Base;
  /** Bytes. */
  readonly size: Size;
  /** Bytes from the base. */
  address?: Size;
}

export interface Pointer {
  readonly storage: Storage;
  /** Bytes from the storage's start. */
  readonly offset: Size;
  /** In a loop: bytes further for each turn. */
  readonly stride?: Size;
}

/** A kernel's argument: a pointer, a count in run-time dimensions, or a number (0 for an absent pointer). */
export type Argument = Pointer | Size | number;

export interface Call {
  readonly kernel: string;
  readonly args: readonly Argument[];
}

/** Calls repeated for turns 0 … count - 1, or backwards. The loops of programs do not nest. */
export interface Loop {
  readonly count: Size;
  readonly backwards: boolean;
  readonly body: readonly Call[];
}

export type Step = Call | Loop;

export interface Program {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What the host writes before a run and reads after it: kept apart from everything else for the whole run. */
  readonly interface: readonly Storage[];
}

export function isPointer(arg: Argument): arg is Pointer {
  return typeof arg === "object" && "storage" in arg;
}

export function isLoop(step: Step): step is Loop {
  return "body" in step;
}

/** The calls of a step: itself, or the body of a loop. */
export function callsOf(step: Step): readonly Call[] {
  return isLoop(step) ? step.body : [step];
}

/** Every call of a program, once, in order. */
export function allCalls(program: Program): Call[] {
  return program.steps.flatMap(callsOf);
}

/** The run-time dimensions that a program depends on and that must be given, sorted. */
export function runtimeDims(program: Program): string[] {
  return [...dimensions(program)].filter((name) => !quotientOf(name)).sort();
}

/** The dimensions of a program that are derived from others, each behind those that it is derived from. */
export function derivedDims(program: Program): string[] {
  return [...dimensions(program)].filter(quotientOf);
}

function dimensions(program: Program): Set<string> {
  const names = new Set<string>();
  const note = (size: Size | undefined) => {
    for (const name of [...(size?.terms.keys() ?? [])].flatMap((key) => key.split("*"))) {
      if (name === "" || names.has(name)) continue;
      note(quotientOf(name)?.numerator);
      names.add(name);
    }
  };
  for (const storage of storages(program)) note(storage.size);
  for (const step of program.steps) if (isLoop(step)) note(step.count);
  for (const { args } of allCalls(program)) {
    for (const arg of args) {
      if (isPointer(arg)) [arg.offset, arg.stride].forEach(note);
      else if (arg instanceof Size) note(arg);
    }
  }
  return names;
}

/** Every storage of a program, once. */
export function storages(program: Program): Set<Storage> {
  const found = new Set(program.interface);
  for (const { args } of allCalls(program))
    for (const arg of args) if (isPointer(arg)) found.add(arg.storage);
  return found;
}

const PREFIX: Record<Base, string> = { weights: "w", training: "t", state: "s", packed: "p", work: "a" };

/** The program as text, one line a call: how it is debugged, reviewed and taught. w = weights, t = training,
 * s = states kept between runs, p = packed weights, a = working memory. */
export function print(program: Program): string {
  const show = (arg: Argument) => {
    if (!isPointer(arg)) return String(arg);
    const turn = arg.stride && arg.stride.constant !== 0 ? `+t*(${arg.stride})` : "";
    const offset = arg.offset.constant === 0 && turn === "" ? "" : `[${arg.offset}${turn}]`;
    return `${PREFIX[arg.storage.base]}.${arg.storage.name}${offset}`;
  };
  const width = Math.max(0, ...allCalls(program).map((call) => call.kernel.length));
  const line = (call: Call, indent: string) =>
    `${indent}${call.kernel.padEnd(width)}  ${call.args.map(show).join("  ")}`;
  const lines = program.steps.flatMap((step) => {
    if (!isLoop(step)) return [line(step, "  ")];
    const head = step.backwards ? `  for t = ${step.count} - 1 … 0` : `  for t = 0 … ${step.count} - 1`;
    return [head, ...step.body.map((call) => line(call, "    "))];
  });
  return [`${program.name}(${runtimeDims(program).join(", ")})`, ...lines].join("\n");
}
