// State dicts into the layers of a model. Without a mapping modules go to the layers that they fit. Not here: the mapping itself, and the
// way back (stateDict.ts).
import { show, suggestion, UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import type { Layer } from "../../layers/layer.js";
import type { Tensor } from "../../tensor.js";
import { type Module, moduleOf } from "./modules.js";
import { layersOf, type Mapping, pairsOf, prefixed } from "./stateDict.js";

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((d, k) => d === b[k]);

/** Names of tensors by module. */
function modulesIn(tensors: ReadonlyMap<string, Tensor>): Map<string, string[]> {
  const modules = new Map<string, string[]>();
  for (const name of tensors.keys()) {
    const [, prefix, last] = /^(?:(.*)\.)?([^.]*)$/.exec(name)!;
    const key = prefix ?? "";
    const list = modules.get(key);
    if (list) list.push(last);
    else modules.set(key, [last]);
  }
  return modules;
}

/** How many layers a module has: one, or as its parameters count. */
function levelsOf(names: readonly string[]): number {
  const levels = names.map((name) => Number(/_l(\d+)(?:_reverse)?$/.exec(name)?.[1] ?? 0));
  return Math.max(...levels) + 1;
}

/** Modules and layers that fit each other in one way only; where several fit, those of one name. */
function guessed(operation: string, layers: readonly Layer[], tensors: ReadonlyMap<string, Tensor>): Mapping {
  const modules = [...modulesIn(tensors)].map(([prefix, names]) => {
    const levels = Math.min(levelsOf(names), layers.length);
    const fits = (run: readonly Layer[]) => {
      const wanted = new Map(
        run.flatMap((layer, level) => [...(tryModule(layer, level)?.parameters ?? [["?", []] as const])]),
      );
      const own = names.filter((name) => name !== "num_batches_tracked");
      return (
        wanted.size === own.length &&
        own.every(
          (name) =>
            wanted.has(name) && sameShape(wanted.get(name)!, tensors.get(prefixed(prefix, name))!.shape),
        )
      );
    };
    // Layers of one module follow each other.
    const runs = layers
      .map((_, k) => layers.slice(k, k + levels))
      .filter((run) => run.length === levels && fits(run));
    return { prefix, runs };
  });
  const mapping: Record<string, readonly string[]> = {};
  const open = new Set(modules);
  const free = new Set(layers);
  for (let changed = true; changed && open.size > 0; ) {
    changed = false;
    for (const each of open) {
      const left = each.runs.filter((run) => run.every((layer) => free.has(layer)));
      const last = each.prefix.split(".").at(-1);
      const named = left.filter(([first]) => first.name === each.prefix || first.name === last);
      const only = left.length === 1 ? left[0] : named.length === 1 ? named[0] : undefined;
      if (!only) continue;
      mapping[each.prefix] = only.map(({ name }) => name);
      for (const layer of only) free.delete(layer);
      open.delete(each);
      changed = true;
    }
  }
  for (const { prefix, runs } of open) {
    const shapes = [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { shape }]) => `${name} [${shape}]`);
    const got =
      runs.length === 0
        ? `none that fits ${shapes.slice(0, 4).join(", ")}`
        : `several: ${runs.map((run) => run.map(({ name }) => name).join(" + ")).join(", ")}`;
    const hint = "Give the option mapping, such as { 'encoder.rnn': 'lstm' }.";
    throw new UnreelError({
      operation: `${operation}: module ${show(prefix)}`,
      expected: "one layer of the model",
      got,
      hint,
    });
  }
  return mapping;
}

function tryModule(layer: Layer, level: number): Module | undefined {
  try {
    return moduleOf(layer, level);
  } catch {
    return undefined;
  }
}

/** Takes a state dict over into a model's layers. All of it is checked before any weight changes. */
export function readStateDict(
  operation: string,
  graph: Graph,
  tensors: ReadonlyMap<string, Tensor>,
  { mapping, strict }: { mapping?: Mapping; strict: boolean },
): void {
  const layers = layersOf(graph);
  const projected = [...tensors.keys()].find((name) => /(^|\.)weight_hr_l\d/.test(name));
  if (projected !== undefined) {
    const hint = "Layers here have no projection of the state.";
    throw new UnreelError({
      operation,
      expected: "an LSTM without proj_size",
      got: `a tensor '${projected}'`,
      hint,
    });
  }
  const pairs = pairsOf(operation, layers, mapping ?? guessed(operation, layers, tensors));
  const used = new Set<string>();
  const assigned: { layer: Layer; values: Tensor[] }[] = [];
  for (const { prefix, layers: parts } of pairs) {
    for (const { layer, module } of parts) {
      const get = (name: string): Tensor => {
        const key = prefixed(prefix, name);
        const found = tensors.get(key);
        const shape = module.parameters.get(name)!;
        const place = `${operation}: ${key}`;
        if (!found) {
          const hint = name.startsWith("bias")
            ? `Is bias=False there? Then give ${layer.name} useBias: false.`
            : suggestion(key, [...tensors.keys()]);
          throw new UnreelError({
            operation: place,
            expected: `shape [${shape}] of ${module.className} for layer '${layer.name}'`,
            got: "no such tensor",
            hint,
          });
        }
        if (!sameShape(found.shape, shape))
          throw new UnreelError({
            operation: place,
            expected: `shape [${shape}] for layer '${layer.name}'`,
            got: `[${found.shape}]`,
          });
        used.add(key);
        return found;
      };
      for (const name of module.silent) used.add(prefixed(prefix, name));
      assigned.push({ layer, values: module.read(get) });
    }
  }
  if (strict) {
    const extra = [...tensors.keys()].find((name) => !used.has(name));
    const missing = layers.find((layer) => !assigned.some((each) => each.layer === layer));
    if (extra !== undefined) {
      const hint = "strict: false leaves it out.";
      throw new UnreelError({
        operation,
        expected: "tensors that layers have",
        got: `'${extra}' of shape [${tensors.get(extra)!.shape}] as well`,
        hint,
      });
    }
    if (missing) {
      const hint = "strict: false leaves its weights as they are.";
      throw new UnreelError({
        operation,
        expected: "a module for every layer with weights",
        got: `none for '${missing.name}'`,
        hint,
      });
    }
  }
  for (const { layer, values } of assigned) layer.setWeights(values);
}
