// One voice for everything that can go wrong: which operation, what it expected, what it got, what to do.
// Not here: deciding when to complain. Each floor checks what it alone can know.
import { distance } from "fastest-levenshtein";

export interface Complaint {
  /** The function, layer or option that refuses, as the user wrote it: `lstm: units`. */
  operation: string;
  expected: string;
  got: string;
  /** What the user can do about it. */
  hint?: string;
}

/** Every error that unreel throws on purpose. `operation`, `expected`, `got` and `hint` stay readable on their own. */
export class UnreelError extends Error {
  readonly operation: string;
  readonly expected: string;
  readonly got: string;
  /** Not there where there is nothing to advise. */
  declare readonly hint?: string;

  constructor({ operation, expected, got, hint }: Complaint) {
    // What was got may be a sentence of somebody else's.
    super(
      `${operation}: expected ${expected}, got ${got}${hint ? `${got.endsWith(".") ? "" : "."} ${hint}` : ""}`,
    );
    this.name = "UnreelError";
    this.operation = operation;
    this.expected = expected;
    this.got = got;
    if (hint !== undefined) this.hint = hint;
  }
}

/** A block that does not fit under `memoryLimit` or into the 4 GiB of 32-bit linear memory. */
export class OutOfMemoryError extends UnreelError {
  /** Bytes that were wanted and could not be had. */
  readonly bytes: number;

  constructor(bytes: number, complaint: Complaint) {
    super(complaint);
    this.name = "OutOfMemoryError";
    this.bytes = bytes;
  }
}

/** The candidate nearest to a mistyped name, as a hint; all of them when none is near. */
export function suggestion(name: unknown, candidates: readonly string[]): string {
  const known = `Known names: ${candidates.join(", ")}.`;
  if (typeof name !== "string") return known;
  const key = name.toLowerCase().replaceAll("_", "");
  // Initials, as `lr` of learningRate.
  let best = candidates.find(
    (candidate) => key.length > 1 && candidate.replace(/(?<!^)[a-z]/g, "").toLowerCase() === key,
  );
  if (best) return `Did you mean '${best}'?`;
  let least = Math.max(2, Math.ceil(key.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(key, candidate.toLowerCase());
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best ? `Did you mean '${best}'?` : known;
}

/** How a value looks in a message: short, with its kind. */
export function show(value: unknown): string {
  return shown(value, 4);
}

function shown(value: unknown, depth: number): string {
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) {
    const isShort = value.length <= 6 && depth > 0;
    return isShort
      ? `[${value.map((each) => shown(each, depth - 1)).join(", ")}]`
      : `an array of ${value.length}`;
  }
  if (value !== null && typeof value === "object")
    return `an object (${value.constructor?.name ?? "null prototype"})`;
  return String(value);
}

/** An object as braces make it: no instance of a class, which is a value in the place of options. */
export function isPlain(given: unknown): given is Record<string, unknown> {
  if (given === null || typeof given !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Refuses anything but a positive integer, as units, filters and batch sizes are. */
export function positiveInteger(operation: string, value: unknown, hint?: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  const got = value === undefined ? "none" : show(value);
  throw new UnreelError({ operation, expected: "a positive integer", got, hint });
}

/** Refuses a number outside [low, high) (or [low, high] with `closed`). */
export function inRange(
  operation: string,
  value: unknown,
  low: number,
  high: number,
  closed = false,
): number {
  if (typeof value === "number" && value >= low && (value < high || (closed && value === high))) return value;
  const interval =
    high === Number.MAX_VALUE || high === Number.POSITIVE_INFINITY
      ? low === Number.MIN_VALUE
        ? "a number above 0"
        : `a number, ${low} or more`
      : `a number in [${low}, ${high}${closed ? "]" : ")"}`;
  throw new UnreelError({ operation, expected: interval, got: show(value) });
}
