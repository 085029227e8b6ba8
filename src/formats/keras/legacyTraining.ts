// What a model in `.h5` is compiled with, and the optimizer's variables. keras/src/legacy/saving/legacy_h5_format.py
import type { Graph } from "../../layers/graph.js";
import type { CompileOptions } from "../../training/compileOptions.js";
import { resolveOptimizer } from "../../training/resolveOptimizer.js";
import type { ModelDescription, TrainingState } from "../description.js";
import type { Hdf5File } from "../hdf5.js";
import type { Hdf5Builder } from "../hdf5Write.js";
import { type JsonObject, parseJson, pythonJson, requireObject } from "../place.js";
import { readCompile, spelledOut, writeCompile } from "./compile.js";
import { readNames, writeNames } from "./legacyNames.js";
import { optimizerVariables, slotsOf, trainedWeights } from "./optimizerState.js";

const CONFIG = "training_config";
const OPTIMIZER = "optimizer_weights";

/** undefined where the file says nothing of it. */
export function readTraining(
  name: string,
  file: Hdf5File,
  graph: Graph,
): Pick<ModelDescription, "compiled" | "training"> {
  const text = file.text("", CONFIG);
  if (typeof text !== "string") return {};
  const where = `${name}: ${CONFIG}`;
  const { optimizer_config: optimizer, ...rest } = requireObject(where, parseJson(where, text));
  const compiled = readCompile(where, { ...rest, optimizer: optimizer ?? null });
  return { compiled, training: compiled && readOptimizerState(name, file, graph, compiled) };
}

function readOptimizerState(
  operation: string,
  file: Hdf5File,
  graph: Graph,
  { optimizer: given }: CompileOptions,
): TrainingState | undefined {
  const names = readNames(file, OPTIMIZER, "weight_names");
  if (names.length === 0) return undefined;
  const optimizer = resolveOptimizer("optimizer", given);
  const path = (name: string) => `${OPTIMIZER}/${name}`;
  const [first, ...rest] = names;
  // Keras 2 keeps no rate there; Keras 3 does, unless a schedule gives it.
  const rate = rest.find((name) => /(^|\/)(current_)?learning_rate(:0)?$/.test(name));
  const others = rest.filter((name) => name !== rate);
  const kept = slotsOf(optimizer, trainedWeights(graph), others.length, `${operation}: ${OPTIMIZER}`);
  if (!kept) return undefined;
  const slots = kept((k, weight) => file.floats(path(others[k]), weight.shape));
  return {
    iterations: file.number(path(first)),
    ...(rate !== undefined && { learningRate: file.number(path(rate)) }),
    slots,
  };
}

/** Keras 2 holds the optimizer apart from the rest of what compile is given. */
function trainingConfig(compiled: CompileOptions): JsonObject {
  const { optimizer, ...rest } = writeCompile(spelledOut(compiled));
  return { ...rest, optimizer_config: optimizer };
}

export function writeTraining(
  file: Hdf5Builder,
  graph: Graph,
  compiled: CompileOptions,
  training: TrainingState | undefined,
): void {
  file.root.attributes.set(CONFIG, pythonJson(CONFIG, trainingConfig(compiled)));
  if (!training) return;
  const hasSchedule = resolveOptimizer("optimizer", compiled.optimizer).schedule !== undefined;
  const first = ["iteration", ...(hasSchedule ? [] : ["learning_rate"])];
  const names = optimizerVariables(graph, compiled, training).map((variable, k) => {
    const name = first[k] ?? `variable_${k}`;
    file.group(OPTIMIZER).datasets.set(name, variable);
    return name;
  });
  writeNames(file.group(OPTIMIZER), "weight_names", names);
}
