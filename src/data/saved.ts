// How vectorizers, lookups and scalers are kept in JSON: what they were made with, and what they have learned.
import { show, UnreelError } from "../errors.js";

/** `config` makes the object again; `state` is what `adapt` found, absent before. Plain values only. */
export interface Saved {
  className: string;
  config: Record<string, unknown>;
  state?: Record<string, unknown>;
}

/** Checks what `toJSON` gave, as text or as an object. */
export function readSaved(className: string, json: string | Saved): Saved {
  const operation = `${className}.fromJSON`;
  const saved = typeof json === "string" ? parsed(operation, json) : json;
  const expected = `what ${className}.toJSON gives`;
  if (!isRecord(saved) || !isRecord(saved.config)) {
    throw new UnreelError({ operation, expected, got: show(saved) });
  }
  if (saved.className !== className) {
    const got = `one of ${show(saved.className)}`;
    throw new UnreelError({ operation, expected, got });
  }
  if (saved.state !== undefined && !isRecord(saved.state)) {
    throw new UnreelError({
      operation: `${operation}: state`,
      expected: "an object",
      got: show(saved.state),
    });
  }
  return saved as unknown as Saved;
}

/** A value that JSON can hold; functions cannot be kept. */
export function plainOption<T>(operation: string, value: T): T {
  if (typeof value !== "function") return value;
  throw new UnreelError({
    operation,
    expected: "an option that is named, to be kept in JSON",
    got: "a function",
    hint: "Make the object again with the function and give it the vocabulary: setVocabulary(…).",
  });
}

function parsed(operation: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UnreelError({ operation, expected: "JSON", got: (error as Error).message });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
