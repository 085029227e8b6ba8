// Tensors of a functional model as its config names them: `[layer, call, output]`, in lists, in arguments.
import { UnreelError } from "../../errors.js";
import {
  isObject,
  type Json,
  requireCount,
  requireList,
  requireObject,
  requireString,
  shown,
} from "../place.js";
import { refuseCode } from "./objects.js";

export type Reference = readonly [name: string, node: number, tensor: number];

/** Tensors of one argument: one, or a list of them, in which masks may be missing. */
export function tensorsOf(place: string, value: Json | undefined): Reference[] {
  if (Array.isArray(value)) {
    if (typeof value[0] === "string") return [reference(place, value)];
    return value.flatMap((each, k) => (each === null ? [] : tensorsOf(`${place}[${k}]`, each)));
  }
  const object = requireObject(place, value);
  if (object.class_name !== "__keras_tensor__") {
    refuseCode(place, String(object.class_name));
    throw new UnreelError({
      operation: place,
      expected: "a tensor of the graph",
      got: shown(object.class_name),
    });
  }
  const config = requireObject(`${place}: config`, object.config);
  return [reference(`${place}: keras_history`, config.keras_history)];
}

export function reference(place: string, value: Json | undefined): Reference {
  const [name, node, index] = requireList(place, value);
  return [requireString(place, name), requireCount(place, node), requireCount(place, index)];
}

/** `[name, node, tensor]`, or a structure of lists and of records, which Keras takes in the order of their names. */
export function references(place: string, value: Json | undefined): Reference[] {
  if (Array.isArray(value) && typeof value[0] === "string") return [reference(place, value)];
  const list = isObject(value)
    ? Object.keys(value)
        .sort()
        .map((key) => value[key])
    : requireList(place, value);
  return list.flatMap((each, k) => references(`${place}[${k}]`, each));
}
