// Reads the options object of a layer, loss, optimizer or the like: unknown names are refused, defaults filled in.
import { isPlain, show, suggestion, UnreelError } from "../errors.js";
import { SymbolicTensor } from "./symbolic.js";

/** `defaults` overlaid by `given`; an option that is not in `defaults` is an error with the nearest name. `call` is how the call is
 * written, where it takes more than the options. */
export function readOptions<C extends object>(
  operation: string,
  given: object | undefined,
  defaults: C,
  call?: string,
): C {
  if (given !== undefined && !isPlain(given)) {
    throw new UnreelError({
      operation,
      expected: "an options object",
      got: show(given),
      hint: `Write ${call ?? instead(operation, given, defaults)}.`,
    });
  }
  const config = { ...defaults };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!Object.hasOwn(defaults, name)) {
      const hint = suggestion(name, Object.keys(defaults));
      throw new UnreelError({ operation, expected: "known options", got: show(name), hint });
    }
    // Keras' None: the name that it has by itself.
    if (value === undefined || (name === "name" && value === null)) continue;
    const expected = wantedFor(name, value, (defaults as Record<string, unknown>)[name]);
    if (expected) throw new UnreelError({ operation: `${operation}: ${name}`, expected, got: show(value) });
    (config as Record<string, unknown>)[name] = value;
  }
  return config;
}

/** Options that Python takes first, without a name, though they are not the first here. */
const FIRST = ["learningRate", "units", "filters", "cell"];
/** Of all layers: what stands alone in the place of options is none of these. */
const OF_EVERY_LAYER = ["name", "inputShape", "trainable"];

/** The call with a value that stands in the place of options under the name that it is likely to have. */
function instead(operation: string, given: unknown, defaults: object): string {
  if ([given].flat().some((each) => each instanceof SymbolicTensor)) {
    if (operation === "model") return "model({ inputs: x, outputs: y })";
    if (operation.endsWith(": apply"))
      return `${operation.replace(": apply", ".apply")}([x, …], { … }): tensors in one list`;
    return `${operation}({ … }).apply(x): options make the layer, apply puts it behind x`;
  }
  const names = Object.keys(defaults);
  const name =
    FIRST.find((each) => names.includes(each)) ?? names.find((each) => !OF_EVERY_LAYER.includes(each));
  if (name === undefined || given === null) return `${operation}({ … })`;
  const byDefault: unknown = (defaults as Record<string, unknown>)[name] ?? undefined;
  const isNumbers = Array.isArray(given) && given.every((each) => each === null || typeof each === "number");
  const isPlainValue = typeof given === "number" || typeof given === "string" || isNumbers;
  if (byDefault !== undefined && typeof byDefault !== typeof given) return `${operation}({ … })`;
  return `${operation}({ ${name}: ${isPlainValue ? show(given) : "…"} })`;
}

/** What an option takes in the place of `value`, if not that: a boolean, a function or a number where its default is one (null, and
 * lists and schedules in a number's place, are for others to judge). */
function wantedFor(name: string, value: unknown, byDefault: unknown): string | undefined {
  const kind = typeof value;
  if (name === "name") return kind === "string" ? undefined : "a text";
  if (typeof byDefault === "boolean") return kind === "boolean" ? undefined : "true or false";
  if (typeof byDefault === "function") return kind === "function" ? undefined : "a function";
  if (typeof byDefault !== "number" || value === null || (kind === "number" && !Number.isNaN(value)))
    return undefined;
  return typeof (value as { at?: unknown }).at === "function" && kind === "object" ? undefined : "a number";
}

/** `binary_crossentropy`, `BinaryCrossentropy` and `binaryCrossentropy` are one name. */
export function camelCase(name: string): string {
  const joined = name.replace(/_+(\w)/g, (_, letter: string) => letter.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

/** Keras' automatic names: `simple_rnn`, `embedding`. */
export function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z0-9]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** Looks a name up in a registry, in either spelling. */
export function lookUp<V>(
  operation: string,
  name: string,
  registry: Readonly<Record<string, V>>,
  aliases: Readonly<Record<string, string>> = {},
): V {
  if (typeof name !== "string") throw new UnreelError({ operation, expected: "a name", got: show(name) });
  const key = camelCase(name);
  const alias = key.toLowerCase();
  const found = Object.hasOwn(registry, key)
    ? key
    : Object.hasOwn(aliases, alias)
      ? aliases[alias]
      : undefined;
  if (found !== undefined) return registry[found];
  throw new UnreelError({
    operation,
    expected: "a known name",
    got: show(name),
    hint: suggestion(name, Object.keys(registry)),
  });
}
