// The command `unreel`: model files looked at and written in another format. Not here: what a format can hold (formats/).
import { parseArgs } from "node:util";
import { UnreelError } from "../errors.js";
import { FORMATS } from "../formats/description.js";
import { loadFormat, writableFormats } from "../formats/index.js";
import { loadModel } from "../model/loadModel.js";
import type { Model } from "../model/model.js";

const USAGE = `unreel inspect MODEL              layers, shapes, parameters, types; what it can be converted to, and why not
unreel convert MODEL OTHER        writes the model in the format of the other name

  --weights FILE      takes the weights of another file
  --format NAME       of the file that is written: ${FORMATS.join(", ")}
  --no-optimizer      leaves out what the model is compiled with
  --max-batch N       of a wasm module, default 1
  --max-steps N       of a wasm module: the longest sequence`;

const options = {
  weights: { type: "string" },
  format: { type: "string" },
  "no-optimizer": { type: "boolean", default: false },
  "max-batch": { type: "string" },
  "max-steps": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Does what the arguments say; gives the exit code. */
export async function run(args: readonly string[], print: (text: string) => void): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [command, source, target, ...rest] = positionals;
    if (values.help) {
      print(USAGE);
      return 0;
    }
    const wanted = { inspect: 2, convert: 3 }[command];
    if (wanted === undefined || positionals.length !== wanted || rest.length > 0) {
      print(USAGE);
      return 2;
    }
    const model = await loadModel(source, { weights: values.weights });
    if (command === "inspect") {
      await inspect(model, print);
      return 0;
    }
    const count = (text: string | undefined) => (text === undefined ? undefined : Number(text));
    await model.save(target, {
      ...(values.format !== undefined && { format: values.format as (typeof FORMATS)[number] }),
      includeOptimizer: !values["no-optimizer"],
      maxBatch: count(values["max-batch"]),
      maxSteps: count(values["max-steps"]),
    });
    print(`${source} -> ${target}`);
    const left = Object.keys(model.assets ?? {});
    const isKeras = values.format === "keras" || (values.format === undefined && /\.keras$/i.test(target));
    if (left.length > 0 && !isKeras)
      print(`left behind, as only .keras files have a place for them: ${left.join(", ")}`);
    return 0;
  } catch (error) {
    const isTold =
      error instanceof UnreelError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
    if (!isTold) throw error;
    print((error as Error).message);
    return 1;
  }
}

async function inspect(model: Model, print: (text: string) => void): Promise<void> {
  model.summary({ print });
  const { compiled, training, graph } = model.describe("inspect");
  const ends = (list: typeof graph.inputs) =>
    list
      .map(({ name, shape, dtype }) => `${name} (${shape.map((d) => d ?? "any").join(", ")}) ${dtype}`)
      .join("; ");
  print(`inputs: ${ends(graph.inputs)}`);
  print(`outputs: ${ends(graph.outputs)}`);
  const types = new Map<string, number>();
  for (const { className } of graph.layers) types.set(className, (types.get(className) ?? 0) + 1);
  print(
    `layers: ${[...types].map(([name, times]) => (times > 1 ? `${name} x${times}` : name)).join(", ")}; weights: float32`,
  );
  print(
    compiled
      ? `compiled; ${training ? `${training.iterations} steps taken` : "no step taken"}`
      : "not compiled",
  );
  const assets = Object.keys(model.assets);
  if (assets.length > 0) print(`assets: ${assets.join(", ")}`);
  for (const name of await writableFormats()) {
    const { write } = await loadFormat(name);
    const reason = await write!(model.describe("inspect"), {
      includeOptimizer: true,
      maxBatch: batchOf(graph),
      maxSteps: 1,
    }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    print(reason === undefined ? `${name}: yes` : `${name}: no. ${reason}`);
  }
}

const batchOf = (graph: { inputs: readonly { shape: readonly (number | null)[] }[] }) =>
  graph.inputs[0].shape[0] ?? 1;
