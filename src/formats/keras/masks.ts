// Masks that Keras computes by itself stand in a functional model's config as operations (`keras.ops.not_equal` of the ids that an
// embedding reads, and what becomes of it), and layers name them. Here masks come with the values they belong to: these operations are
// taken out again, after it was checked that each layer names the mask that comes with its input.
import { UnreelError } from "../../errors.js";
import type { LayerCall, SymbolicTensor } from "../../layers/symbolic.js";
import { passesMask } from "../../layers/takenMasks.js";
import {
  isObject,
  type Json,
  type JsonObject,
  requireCount,
  requireList,
  requireObject,
  requireString,
} from "../place.js";
import { refuseCode } from "./objects.js";
import type { Reference } from "./references.js";

const IS_OPERATION = /^keras\.(src\.)?ops(\.|$)/;

interface Operation {
  readonly className: string;
  readonly nodes: readonly Json[];
}

function isBare({ class_name: className, config }: JsonObject): boolean {
  return (
    /^(NotEqual|Any|LogicalOr|ExpandDims|ZerosLike|OnesLike|Concatenate|ConvertToTensor)$/.test(
      String(className),
    ) &&
    isObject(config) &&
    !("trainable" in config)
  );
}

/** Where a mask begins: `tensor|value`, the steps of the tensor that are not this value. */
type Root = string;

export class ComputedMasks {
  readonly #operations = new Map<string, Operation>();
  readonly #roots = new Map<SymbolicTensor, ReadonlySet<Root>>();

  /** Takes an entry of `layers` if it is an operation. */
  take(place: string, entry: JsonObject): boolean {
    // Files in the old form name no module; a layer has a `trainable`, an operation has none.
    const isNamed = typeof entry.module === "string" ? IS_OPERATION.test(entry.module) : isBare(entry);
    if (!isNamed) return false;
    const className = requireString(`${place}: class_name`, entry.class_name);
    refuseCode(place, className);
    const nodes = requireList(`${place}: inbound_nodes`, entry.inbound_nodes);
    this.#operations.set(requireString(`${place}: name`, entry.name), { className, nodes });
    return true;
  }

  /** The class of an operation of this name. */
  classOf(name: string): string | undefined {
    return this.#operations.get(name)?.className;
  }

  areComputed(mask: readonly Reference[]): boolean {
    return mask.some(([name]) => this.#operations.has(name));
  }

  /** Refuses a mask that is not the one that comes with x. */
  check(place: string, mask: readonly Reference[], x: readonly SymbolicTensor[]): void {
    const named = this.#rootsOf(place, mask);
    const carried = new Set(x.flatMap((each) => [...(this.#roots.get(each) ?? [])]));
    const isSame = named.size === carried.size && [...named].every((root) => carried.has(root));
    if (isSame && named.size > 0) return;
    throw new UnreelError({
      operation: `${place}: mask`,
      expected: "the mask that comes with the input, or an input of the model",
      got: `one that keras.ops.${this.classOf(mask[0][0])} computes of something else`,
    });
  }

  /** Notes which masks come with what a layer gives; `carries` is false where a mask was given by name. */
  follow({ layer, inputs, outputs }: LayerCall, references: readonly Reference[], carries: boolean): void {
    const options = layer.config as { maskZero?: boolean; maskValue?: number };
    const roots = new Set<Root>();
    const own = layer.className === "Masking" ? options.maskValue : options.maskZero ? 0 : undefined;
    if (own !== undefined) roots.add(rootOf(references[0], own));
    else if (carries && passesMask(layer.className, layer.config)) {
      // Attention gives its query's mask on.
      const giving = layer.kind.attends ? inputs.slice(0, 1) : inputs;
      for (const each of giving) for (const root of this.#roots.get(each) ?? []) roots.add(root);
    }
    for (const output of outputs) this.#roots.set(output, roots);
  }

  /** Where masks begin: the comparisons of tensors that the operations before them read. */
  #rootsOf(place: string, mask: readonly Reference[]): Set<Root> {
    const roots = new Set<Root>();
    const seen = new Set<string>();
    const left = [...mask];
    for (let next = left.pop(); next; next = left.pop()) {
      const [name, index] = next;
      const operation = this.#operations.get(name);
      const key = `${name},${index}`;
      if (!operation || seen.has(key)) continue;
      seen.add(key);
      const where = `${place}: ${name}: inbound_nodes[${index}]`;
      const args = requireList(`${where}: args`, requireObject(where, operation.nodes[index]).args);
      if (operation.className === "NotEqual") {
        const [tensor] = histories(where, args[0]);
        if (tensor && typeof args[1] === "number") roots.add(rootOf(tensor, args[1]));
      } else for (const arg of args) left.push(...histories(where, arg));
    }
    return roots;
  }
}

const rootOf = ([name, node, index]: Reference, value: number): Root =>
  `${name},${node},${index}|${Math.fround(value)}`;

/** The tensors in an argument. */
function histories(place: string, value: Json): Reference[] {
  if (Array.isArray(value)) return value.flatMap((each) => histories(place, each));
  if (!isObject(value) || value.class_name !== "__keras_tensor__" || !isObject(value.config)) return [];
  const [name, node, index] = requireList(`${place}: keras_history`, value.config.keras_history);
  return [[requireString(place, name), requireCount(place, node), requireCount(place, index)]];
}
