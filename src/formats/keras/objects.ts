// Keras' form of what is not a layer, `{ module, class_name, config }`: initializers, regularizers, constraints, activations,
// schedules; and options as snake_case entries of a config. keras/src/saving/serialization_lib.py
import { show, suggestion, UnreelError } from "../../errors.js";
import { resolveActivation } from "../../layers/activations.js";
import * as constraints from "../../layers/constraints.js";
import * as initializers from "../../layers/initializers.js";
import { camelCase, snakeCase } from "../../layers/options.js";
import * as regularizers from "../../layers/regularizers.js";
import { at, isObject, type Json, type JsonObject, requireObject, shown } from "../place.js";

/** Anything of ours that has a class in Keras and options. */
export interface Configured {
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export function kerasObject(module: string, className: string, config: JsonObject): JsonObject {
  return { module, class_name: className, config, registered_name: null };
}

/** The class and the config of an object in a file; what runs code or is the user's own is refused by name. */
export function readObject(
  place: string,
  value: Json | undefined,
): { className: string; config: JsonObject } {
  const object = requireObject(place, value);
  const className = object.class_name;
  if (typeof className !== "string") {
    throw new UnreelError({ operation: `${place}: class_name`, expected: "a text", got: shown(className) });
  }
  refuseCode(place, className);
  const { registered_name: registered, module } = object;
  const own =
    (typeof registered === "string" && registered.includes(">")) ||
    (typeof module === "string" && !/^(keras|tf_keras|tensorflow|builtins)(\.|$)/.test(module));
  if (own) {
    throw new UnreelError({
      operation: place,
      expected: "a class of Keras",
      got: `${show(registered ?? `${module}.${className}`)}, a custom object`,
      hint: "Its code is not in the file, and none would be run.",
    });
  }
  return {
    className,
    config: object.config === undefined ? {} : requireObject(`${place}: config`, object.config),
  };
}

export function refuseCode(place: string, className: string): void {
  if (!/^(__lambda__|Lambda|__numpy__|__tensor__|__typespec__)$/.test(className)) return;
  throw new UnreelError({
    operation: place,
    expected: "layers and objects that are told by their options",
    got: `a ${className}, which holds code or data of Python`,
    hint:
      className === "Lambda" || className === "__lambda__"
        ? "Rebuild the model without its Lambda: nothing in a file is ever run."
        : undefined,
  });
}

/** Options in Keras' spelling: names and the values of choices in snake_case. */
export function snakeOptions(config: Readonly<Record<string, unknown>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [optionName(name), plain(name, value)]),
  );
}

/** `beta1` is beta_1 in Keras. */
function optionName(name: string): string {
  return snakeCase(name).replace(/^(beta)(\d)$/, "$1_$2");
}

function plain(name: string, value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return snakeCase(value);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map((each) => plain(name, each));
  throw new UnreelError({
    operation: name,
    expected: "an option that a file can hold",
    got: show(value),
  });
}

/** Options of ours from a config of Keras. Choices keep their spelling: who reads options takes either. */
export function camelOptions(config: JsonObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [camelCase(name), value]));
}

// ------------------------------------------------------------------------------------------------------------- families

type Maker = (options: never) => Configured;

function makers(family: Readonly<Record<string, unknown>>): Map<string, Maker> {
  const made = Object.entries(family).filter(
    ([name, value]) => typeof value === "function" && !/^resolve/.test(name),
  );
  return new Map(made.map(([name, make]) => [name.toLowerCase(), make as Maker]));
}

interface Family {
  readonly module: string;
  readonly what: string;
  readonly makers: () => Map<string, Maker>;
  /** Keras' names for classes that are called otherwise here, in lower case. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Entries of a config that say nothing here. */
  readonly silent?: readonly string[];
  /** Options whose value is one of some names. */
  readonly choices?: readonly string[];
}

const families = {
  initializer: {
    module: "keras.initializers",
    what: "an initializer",
    makers: () => makers(initializers),
    aliases: { identityinitializer: "identity", orthogonalinitializer: "orthogonal" },
    silent: ["dtype", "inputAxes", "outputAxes"],
    choices: ["mode", "distribution"],
  },
  regularizer: { module: "keras.regularizers", what: "a regularizer", makers: () => makers(regularizers) },
  constraint: { module: "keras.constraints", what: "a constraint", makers: () => makers(constraints) },
} satisfies Record<string, Family>;
export type FamilyName = keyof typeof families;

/** Keras' class of one of our objects: it must be one that `initializers.*` and the like make. */
export function writeMember(family: FamilyName, place: string, given: Configured): JsonObject {
  const { module, what, makers } = families[family] as Family;
  const { className } = given;
  // Keras' seeds are 32-bit numbers with a sign; what was drawn with this one is in the file.
  const isLarge = typeof given.config?.seed === "number" && given.config.seed >= 2 ** 31;
  const config = isLarge ? { ...given.config, seed: null } : given.config;
  if (typeof className !== "string" || !makers().has(className.toLowerCase())) {
    throw new UnreelError({
      operation: place,
      expected: `${what} of Keras`,
      got: className === undefined ? "one of your own" : show(className),
      hint: "A file holds no code.",
    });
  }
  return kerasObject(
    module,
    className,
    at(place, () => snakeOptions(config)),
  );
}

export function readMember(family: FamilyName, place: string, value: Json): Configured {
  const { what, makers, aliases = {}, silent = [], choices = [] } = families[family] as Family;
  const { className, config } =
    typeof value === "string" ? { className: camelCase(value), config: {} } : readObject(place, value);
  const known = makers();
  const key = className.toLowerCase().replaceAll("_", "");
  const make = known.get(aliases[key] ?? key);
  if (!make) {
    const hint = suggestion(className, [...known.keys()]);
    throw new UnreelError({ operation: place, expected: what, got: show(className), hint });
  }
  const options = camelOptions(config);
  for (const name of silent) delete options[name];
  for (const name of choices) if (typeof options[name] === "string") options[name] = camelCase(options[name]);
  return at(place, () => make(options as never));
}

// ----------------------------------------------------------------------------------------------------------- activations

/** Names of Keras that are others here. */
const RENAMED: Readonly<Record<string, string>> = { swish: "silu", hardSwish: "hard_silu" };

export function writeActivation(name: string): string {
  return RENAMED[name] ?? snakeCase(name);
}

/** An activation is a name; older files hold the function's. */
export function readActivation(place: string, value: Json): string | null {
  if (value === null) return null;
  if (isObject(value) && value.class_name === "function" && typeof value.config === "string") {
    return resolveActivation(place, value.config);
  }
  if (isObject(value)) {
    const { className } = readObject(place, value);
    throw new UnreelError({
      operation: place,
      expected: "the name of an activation",
      got: `a ${className} object`,
      hint: "Give the layer before a linear activation, and put the other one behind it.",
    });
  }
  return resolveActivation(place, value as string);
}
