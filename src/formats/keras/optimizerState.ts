// The optimizer's variables in Keras' order: the step count, the rate, the slots of all weights that are trained. keras/src/optimizers
import { UnreelError } from "../../errors.js";
import type { Graph } from "../../layers/graph.js";
import type { Weight } from "../../layers/weight.js";
import { power } from "../../numerics.js";
import type { CompileOptions } from "../../training/compileOptions.js";
import type { Optimizer } from "../../training/optimizers.js";
import { resolveOptimizer } from "../../training/resolveOptimizer.js";
import type { TrainingState } from "../description.js";
import type { Hdf5File } from "../hdf5.js";
import type { Hdf5Builder, Hdf5Dataset } from "../hdf5Write.js";

/** Slots that Keras keeps variable by variable, and those it keeps behind them, one kind after the other. */
function slotGroups({ className, slots }: Optimizer): readonly (readonly number[])[] {
  const all = slots.map((_, k) => k);
  if (className === "RMSprop") return all.map((k) => [k]);
  if (className === "Adam" || className === "AdamW") return [[0, 1], ...(slots.length > 2 ? [[2]] : [])];
  return [all];
}

/** Keras' order of the slots: (weight, slot). */
function slotOrder(optimizer: Optimizer, weights: readonly Weight[]): [Weight, number][] {
  return slotGroups(optimizer).flatMap((group) =>
    weights.flatMap((weight) => group.map((slot): [Weight, number] => [weight, slot])),
  );
}

/** The weights that an optimizer of Keras knows: all that are trained, in the order of the layers. */
export function trainedWeights(graph: Graph): Weight[] {
  return [...new Set(graph.layers.flatMap((layer) => layer.trainableWeights))];
}

/** Nadam's momentum rises step by step; Keras keeps the product of all so far. */
function momentumProduct({ config }: Optimizer, iterations: number): number {
  const { beta1 } = config as { beta1?: number };
  let product = 1;
  for (let step = 1; step <= iterations; step++) product *= beta1! * (1 - 0.5 * power(0.96, step));
  return product;
}

const scalar = (value: number) => ({ shape: [], data: Float32Array.of(value) });

/** All variables of the optimizer, in Keras' order. */
export function optimizerVariables(
  graph: Graph,
  { optimizer: given }: CompileOptions,
  { iterations, slots }: TrainingState,
): Hdf5Dataset[] {
  const optimizer = resolveOptimizer("optimizer", given);
  return [
    { shape: [], data: Int32Array.of(iterations) },
    ...(optimizer.schedule ? [] : [scalar(optimizer.learningRate)]),
    ...slotOrder(optimizer, trainedWeights(graph)).map(([weight, slot]) => ({
      shape: weight.shape,
      data: slots.get(weight)![slot],
    })),
    ...(optimizer.className === "Nadam" ? [scalar(momentumProduct(optimizer, iterations))] : []),
  ];
}

export function writeOptimizerState(
  file: Hdf5Builder,
  graph: Graph,
  compiled: CompileOptions,
  training: TrainingState,
): void {
  const vars = file.group("optimizer/vars");
  vars.attributes.set("name", resolveOptimizer("optimizer", compiled.optimizer).className.toLowerCase());
  optimizerVariables(graph, compiled, training).forEach((variable, k) => {
    vars.datasets.set(`${k}`, variable);
  });
}

/** Reads the slots of each weight out of so many arrays behind the step count and the rate; undefined where the optimizer had none
 * yet: Keras makes them with the first step. */
export function slotsOf(
  optimizer: Optimizer,
  weights: readonly Weight[],
  count: number,
  place: string,
): ((read: (place: number, weight: Weight) => Float32Array) => Map<Weight, Float32Array[]>) | undefined {
  const order = slotOrder(optimizer, weights);
  if (count === 0 && order.length > 0) return undefined;
  // Behind them, Nadam's product follows from the step count.
  const expected = order.length + (optimizer.className === "Nadam" ? 1 : 0);
  if (count !== expected) {
    throw new UnreelError({
      operation: place,
      expected: `${expected} arrays of ${optimizer.className} for ${weights.length} trained weights`,
      got: `${count}`,
      hint: "Load with { compile: false } to leave the optimizer's state out.",
    });
  }
  return (read) => {
    const slots = new Map<Weight, Float32Array[]>(weights.map((weight) => [weight, []]));
    order.forEach(([weight, slot], k) => {
      slots.get(weight)![slot] = read(k, weight);
    });
    return slots;
  };
}

/** undefined where the file has none, or one that was never used. */
export function readOptimizerState(
  operation: string,
  file: Hdf5File,
  graph: Graph,
  { optimizer: given }: CompileOptions,
): TrainingState | undefined {
  const path = "optimizer/vars";
  const count = file.keys(path)?.length ?? 0;
  if (count === 0) return undefined;
  const optimizer = resolveOptimizer("optimizer", given);
  const first = optimizer.schedule ? 1 : 2;
  const kept = slotsOf(optimizer, trainedWeights(graph), count - first, `${operation}: ${path}`);
  if (!kept) return undefined;
  return {
    iterations: file.number(`${path}/0`),
    ...(!optimizer.schedule && { learningRate: file.number(`${path}/1`) }),
    slots: kept((k, weight) => file.floats(`${path}/${first + k}`, weight.shape)),
  };
}
