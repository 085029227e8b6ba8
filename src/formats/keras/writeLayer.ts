// A layer as Keras' config, by the table of layers.ts. Models inside models and inputs are writeGraph.ts's.
import { UnreelError } from "../../errors.js";
import { Layer } from "../../layers/layer.js";
import { camelCase } from "../../layers/options.js";
import { at, type Json, type JsonObject } from "../place.js";
import { familyOf, isActivation, LAYERS, type Options } from "./layers.js";
import { type Configured, kerasObject, snakeOptions, writeActivation, writeMember } from "./objects.js";

const FLOAT32: JsonObject = kerasObject("keras", "DTypePolicy", { name: "float32" });

export interface LayerWriter {
  /** Writes a layer that is a model. */
  model(layer: Layer): JsonObject;
  /** Gets the seeds of layers that Keras cannot hold, in the order of the config, where they stand as null. */
  readonly seeds?: number[];
  /** Takes activations that Keras 3 has no more. */
  readonly takesKeras2?: boolean;
}

/** Keras' seeds are 32-bit numbers with a sign. */
export const SEED_LIMIT = 2 ** 31;

/** A layer as Keras writes it, but for the models inside it. */
export function writeLayer(layer: Layer, writer: LayerWriter): JsonObject {
  const { kind, name } = layer;
  if (kind.graph) return writer.model(layer);
  const rule = kind.isOperation ? undefined : LAYERS[layer.className];
  if (!rule) {
    const what = kind.isOperation
      ? `ops.${camelCase(layer.className)}, a function without a layer`
      : layer.className === "Cell"
        ? "a cell of your own"
        : `a ${layer.className} layer`;
    throw new UnreelError({
      operation: name,
      expected: "a layer of Keras",
      got: what,
      hint: "A file holds no code: use layers.* for what is to be saved, or save the weights alone.",
    });
  }
  const config = { ...layer.config } as Options;
  const options = rule.write?.(config) ?? config;
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return kerasObject("keras.layers", layer.className, {
    name,
    ...(!rule.isAlwaysTrainable && { trainable: layer.trainable }),
    dtype: FLOAT32,
    ...Object.assign(
      {},
      ...entries.map(([option, value]) => writeOption(`${name}: ${option}`, option, value, writer)),
    ),
  });
}

function writeOption(place: string, option: string, value: unknown, writer: LayerWriter): JsonObject {
  const [key] = Object.keys(snakeOptions({ [option]: null }));
  const as = (written: Json): JsonObject => ({ [key]: written });
  if (value instanceof Layer) return as(writeLayer(value, writer));
  if (Array.isArray(value) && value[0] instanceof Layer)
    return as(value.map((each) => writeLayer(each, writer)));
  if (option === "seed" && typeof value === "number" && value >= SEED_LIMIT) {
    writer.seeds?.push(value);
    return as(null);
  }
  const family = familyOf(option);
  if (family && value !== null) return as(writeMember(family, place, value as Configured));
  if (isActivation(option) && typeof value === "string") {
    if (value === "keras2HardSigmoid" && !writer.takesKeras2) {
      throw new UnreelError({
        operation: place,
        expected: "an activation of Keras 3",
        got: `'${value}'`,
        hint: "Keras 3's hard_sigmoid is another curve: formats 'tfjs', 'onnx' and 'wasm' have this one.",
      });
    }
    return as(writeActivation(value));
  }
  return at(place, () => snakeOptions({ [option]: value }));
}
