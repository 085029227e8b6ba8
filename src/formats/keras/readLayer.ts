// A layer from Keras' config, by the table of layers.ts. Models inside models and inputs are readGraph.ts's.
import { suggestion, UnreelError } from "../../errors.js";
import type { Layer } from "../../layers/layer.js";
import { at, isObject, type Json, type JsonObject, requireList, requireString, shown } from "../place.js";
import { isActivationLayer, readActivationLayer } from "./activationLayers.js";
import { familyOf, isActivation, LAYERS, type Maker, type Options } from "./layers.js";
import { camelOptions, readActivation, readMember, readObject } from "./objects.js";

/** Layers of Keras that are no layers here, and what does their work. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map(
  [
    ...[
      "Normalization",
      "Rescaling",
      "Discretization",
      "CategoryEncoding",
      "StringLookup",
      "IntegerLookup",
    ].map((name) => [name, `data.${name}`] as const),
    ["TextVectorization", "text.TextVectorization"] as const,
  ].map(([name, ours]) => [
    name,
    `${ours} does its work, before the model. In Python: save the model without that layer.`,
  ]),
);

/** How layers that hold models are read, and how deep they may lie in each other. */
export interface LayerReader {
  /** What makes layers, by class (makersFor). */
  readonly makers: ReadonlyMap<string, Maker>;
  /** A layer that is a model, if the class is one. */
  model(place: string, className: string, config: Json, depth: number): Layer | undefined;
  /** Options that a file leaves out, as another library's defaults have them. */
  defaults?(className: string): Options;
  /** The next of the seeds that Keras could not hold. */
  seed?(): number | undefined;
}

const DEEPEST = 24;

/** A layer from its entry in a config. */
export function readLayer(place: string, value: Json | undefined, reader: LayerReader, depth = 0): Layer {
  if (depth > DEEPEST) {
    throw new UnreelError({
      operation: place,
      expected: `layers in each other up to ${DEEPEST} deep`,
      got: "more",
    });
  }
  const { className, config } = readClass(place, value);
  const inner = reader.model(place, className, config, depth + 1);
  if (inner) return inner;
  const rule = Object.hasOwn(LAYERS, className) ? LAYERS[className] : undefined;
  if (!rule) {
    if (isActivationLayer(className) && isObject(config)) {
      return readOne(`${place} (${className})`, className, config, reader);
    }
    throw new UnreelError({
      operation: place,
      expected: "a layer that is known here",
      got: `a layer of class '${className}'`,
      hint: ELSEWHERE.get(className) ?? suggestion(className, Object.keys(LAYERS)),
    });
  }
  if (!isObject(config)) {
    throw new UnreelError({ operation: `${place}: config`, expected: "an object", got: shown(config) });
  }
  const label = `${place} (${className})`;
  const { name, trainable, inputShape, rest } = readCommon(label, config);
  const options: Options = { ...reader.defaults?.(className), ...rest };
  for (const [option, given] of Object.entries(rest)) {
    options[option] = readOption(`${label}: ${option}`, option, given as Json, reader, depth);
  }
  for (const option of rule.silent ?? []) delete options[option];
  for (const [option, values] of Object.entries(rule.only ?? {})) {
    if (!(option in options)) continue;
    const given = options[option];
    delete options[option];
    if (values.some((each) => each === given)) continue;
    const expected = values.map((each) => JSON.stringify(each)).join(" or ");
    throw new UnreelError({ operation: `${label}: ${option}`, expected, got: shown(given) });
  }
  const all = { ...(rule.read?.(options) ?? options), name, trainable, inputShape };
  return at(label, () => reader.makers.get(className)!(all as never));
}

/** A layer that is an activation, if the class is one. */
function readOne(place: string, className: string, config: JsonObject, reader: LayerReader): Layer {
  const { name, trainable, inputShape, rest } = readCommon(place, config);
  const options = { ...reader.defaults?.(className), ...rest };
  return readActivationLayer(place, className, options, { name, trainable, inputShape });
}

/** The class of an entry and what it is configured with, whatever that is: sequential models of old are a list. */
function readClass(place: string, value: Json | undefined): { className: string; config: Json } {
  if (isObject(value) && Array.isArray(value.config)) {
    return { className: requireString(`${place}: class_name`, value.class_name), config: value.config };
  }
  return readObject(place, value);
}

function readOption(place: string, option: string, value: Json, reader: LayerReader, depth: number): unknown {
  if (option === "seed" && value === null) return reader.seed?.() ?? null;
  const family = familyOf(option);
  if (family) return value === null ? null : readMember(family, place, value);
  if (isActivation(option)) return readActivation(place, value);
  if (option === "cells") {
    return requireList(place, value).map((each, k) => readLayer(`${place}[${k}]`, each, reader, depth + 1));
  }
  if (isObject(value) && "class_name" in value) return readLayer(place, value, reader, depth + 1);
  return value;
}

/** What every layer has. */
function readCommon(place: string, config: JsonObject) {
  const {
    name,
    trainable = true,
    dtype,
    batch_input_shape: batchInput,
    batch_shape: batchShape = batchInput,
    ...own
  } = config;
  requireFloat32(`${place}: dtype`, dtype);
  if (typeof trainable !== "boolean") {
    throw new UnreelError({
      operation: `${place}: trainable`,
      expected: "true or false",
      got: shown(trainable),
    });
  }
  const rest = camelOptions(own);
  // Only what reads ids or begins a sequential model has a shape of its own.
  const inputShape = Array.isArray(batchShape) ? batchShape.slice(1) : undefined;
  return { name: requireString(`${place}: name`, name), trainable, inputShape, rest };
}

/** Layers compute in float32: a policy that says otherwise would give other numbers. */
export function requireFloat32(place: string, dtype: Json | undefined, also: readonly string[] = []): void {
  if (dtype === undefined || dtype === null) return;
  const name = isObject(dtype) ? (isObject(dtype.config) ? dtype.config.name : dtype.class_name) : dtype;
  if (name === "float32" || also.includes(String(name))) return;
  throw new UnreelError({
    operation: place,
    expected: "float32",
    got: shown(name),
    hint: "In Python: rebuild the model under keras.config.set_dtype_policy('float32') and set its weights.",
  });
}
