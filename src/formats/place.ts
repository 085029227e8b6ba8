// Where in a file something is wrong: errors of whatever reads a part of it get the part's name in front.
import { show, UnreelError } from "../errors.js";

/** Does something with a part of a file; what goes wrong is told with the part's name. */
export function at<R>(place: string, act: () => R): R {
  try {
    return act();
  } catch (error) {
    throw placed(place, error);
  }
}

/** The same for something that takes its time. */
export async function atAsync<R>(place: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    throw placed(place, error);
  }
}

/** What goes wrong in what a file says of training is told with the way to do without. */
export function ofTraining<R>(act: () => R): R {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof UnreelError) || error.hint?.includes("compile: false")) throw error;
    const { operation, expected, got, hint } = error;
    const without = "loadModel(path, { compile: false }) loads the rest.";
    throw new UnreelError({ operation, expected, got, hint: hint ? `${hint} ${without}` : without });
  }
}

/** What goes wrong in reading a file and is no error of ours is told with the file's name. */
export async function inFile<R>(file: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof UnreelError ? error : placed(file, error);
  }
}

function placed(place: string, error: unknown): UnreelError {
  if (error instanceof UnreelError) {
    const [operation, expected, got] = [error.operation, error.expected, error.got].map(shortened);
    // What lies deeper has told its own place.
    return new UnreelError({ operation: `${place}: ${operation}`, expected, got, hint: error.hint });
  }
  const got = error instanceof Error ? error.message : String(error);
  return new UnreelError({ operation: place, expected: "a whole file of its kind", got });
}

/** Names in a file may be of any length. */
function shortened(text: string): string {
  return text.length <= 600 ? text : `${text.slice(0, 300)} … ${text.slice(-200)}`;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function requireObject(place: string, value: unknown): JsonObject {
  if (isObject(value)) return value;
  throw new UnreelError({ operation: place, expected: "an object", got: shown(value) });
}

export function requireList(place: string, value: unknown): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw new UnreelError({ operation: place, expected: "a list", got: shown(value) });
}

export function requireString(place: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new UnreelError({ operation: place, expected: "a text", got: shown(value) });
}

/** A whole number from 0. */
export function requireCount(place: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new UnreelError({ operation: place, expected: "a whole number, 0 or more", got: shown(value) });
}

/** What a description of a model may hold: a text that costs more to read than any model needs is refused before it is. */
const MOST_JSON = {
  characters: 32 << 20,
  "lists and objects": 400_000,
  names: 400_000,
  values: 2_000_000,
  depth: 256,
} as const;

function checkJson(place: string, text: string): void {
  const refuse = (expected: string, got: string) => new UnreelError({ operation: place, expected, got });
  const { characters, depth: deepest } = MOST_JSON;
  if (text.length > characters) throw refuse(`at most ${characters} characters of JSON`, `${text.length}`);
  const count = (sum: number, what: "lists and objects" | "names" | "values") => {
    if (sum > MOST_JSON[what]) throw refuse(`at most ${MOST_JSON[what]} ${what} in JSON`, "more");
  };
  let [objects, names, values, depth] = [0, 0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      do i++;
      while (i < text.length && (text.charCodeAt(i) !== QUOTE || isEscaped(text, i)));
    } else if (code === 0x7b || code === 0x5b) {
      count(++objects, "lists and objects");
      if (++depth > deepest) throw refuse(`lists and objects at most ${deepest} deep`, "deeper ones");
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x3a) count(++names, "names");
    else if (code === 0x2c) count(++values, "values");
  }
}

const QUOTE = 0x22;

/** Whether an odd number of backslashes stands before. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === 0x5c) before--;
  return (at - before) % 2 === 1;
}

export function parseJson(place: string, text: string): Json {
  checkJson(place, text);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UnreelError({ operation: place, expected: "JSON", got: (error as Error).message });
  }
}

/** A value of a file in a message. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  // Lists may lie in each other.
  if (Array.isArray(value) && (value.length > 6 || value.some((each) => typeof each === "object")))
    return `a list of ${value.length}`;
  return show(value).slice(0, 120);
}

/** Options of Keras that must be floating-point numbers in Python, also where they are whole. */
const FLOATS =
  /^(learning_rate|initial_learning_rate|end_learning_rate|warmup_target|decay_rate|momentum|rho|beta_\d|epsilon|alpha|.*_mul|power|values|weight_decay|clipnorm|clipvalue|global_clipnorm|initial_accumulator_value|l1|l2|factor|rate|stddev|mean|minval|maxval|gain|dropout|recurrent_dropout|mask_value|delta|gamma|label_smoothing|threshold|beta)$/;

/** JSON as Python writes it: `1.0` where an option is a floating-point number. What would not be read again is refused. */
export function pythonJson(place: string, value: Json): string {
  const text = (each: Json, isFloat: boolean): string => {
    if (typeof each === "number" && isFloat && Number.isInteger(each)) return `${each}.0`;
    if (Array.isArray(each)) return `[${each.map((one) => text(one, isFloat)).join(", ")}]`;
    if (!isObject(each)) return JSON.stringify(each);
    const entries = Object.entries(each).filter(([, one]) => one !== undefined);
    return `{${entries.map(([key, one]) => `${JSON.stringify(key)}: ${text(one, FLOATS.test(key))}`).join(", ")}}`;
  };
  const written = text(value, false);
  checkJson(place, written);
  return written;
}
