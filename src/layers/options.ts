// Reads the options object of a layer, loss, optimizer or the like: unknown names are refused, defaults filled in.
import { show, suggestion, UnreelError } from "../errors.js";

/** `defaults` overlaid by `given`; an option that is not in `defaults` is an error with the nearest name. */
export function readOptions<C extends object>(operation: string, given: object | undefined, defaults: C): C {
  if (given !== undefined && !isPlain(given)) {
    throw new UnreelError({
      operation,
      expected: "an options object",
      got: show(given),
      hint: `Write ${operation}({ … }).`,
    });
  }
  const config = { ...defaults };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (!Object.hasOwn(defaults, name)) {
      const hint = suggestion(name, Object.keys(defaults));
      throw new UnreelError({ operation, expected: "known options", got: show(name), hint });
    }
    if (value !== undefined)
      checkKind(`${operation}: ${name}`, value, (defaults as Record<string, unknown>)[name]);
    if (value !== undefined) (config as Record<string, unknown>)[name] = value;
  }
  return config;
}

/** An object as braces make it: no instance of a class, which is a value in the place of options. */
function isPlain(given: unknown): boolean {
  if (given === null || typeof given !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(given);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An option whose default is a boolean or a number takes nothing else (but an object in a number's place, as schedules are). */
function checkKind(operation: string, value: unknown, byDefault: unknown): void {
  if (typeof byDefault === "boolean" && typeof value !== "boolean") {
    throw new UnreelError({ operation, expected: "true or false", got: show(value) });
  }
  if (
    typeof byDefault === "number" &&
    typeof value !== "object" &&
    (typeof value !== "number" || Number.isNaN(value))
  ) {
    throw new UnreelError({ operation, expected: "a number", got: show(value) });
  }
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
