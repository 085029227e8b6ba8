// The command `unreel`: model files looked at and written in another format. Not here: what a format can hold (formats/).
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { suggestion, UnreelError } from "../errors.js";
import { FORMATS } from "../formats/description.js";
import { formatOfName, loadFormat, writableFormats } from "../formats/index.js";
import { loadModel } from "../model/loadModel.js";
import type { Model } from "../model/model.js";

const USAGE = `unreel inspect MODEL              layers, shapes, parameters, types; what it can be converted to, and why not
unreel convert MODEL OTHER        writes the model in the format of the other name

  MODEL               a path or a URL: .keras, .h5, model.json (TensorFlow.js), .onnx, .safetensors
  OTHER               a path that ends in one of these, or in .wasm
  --weights FILE      takes the weights of another file: .weights.h5, .h5, .keras
  --help, -h          this
  --version, -v       the version

convert only
  --format NAME       where the ending of OTHER does not say it: ${FORMATS.join(", ")}
  --no-optimizer      leaves out what the model is compiled with, and the optimizer's state
  --max-batch N       of a .wasm: the largest batch, default 1
  --max-steps N       of a .wasm: the longest sequence; needed where the model takes any length

  unreel inspect spam.keras
  unreel convert old.h5 new.keras
  unreel convert tagger.onnx tagger.wasm --max-batch 8 --max-steps 200`;

const options = {
  weights: { type: "string" },
  format: { type: "string" },
  "no-optimizer": { type: "boolean", default: false },
  "max-batch": { type: "string" },
  "max-steps": { type: "string" },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", short: "v", default: false },
} as const;

/** Files that each command takes, as its usage calls them. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  inspect: ["MODEL"],
  convert: ["MODEL", "OTHER"],
};

type Values = ReturnType<typeof parsed>["values"];

/** Does what the arguments say; gives the exit code: 1 where a file is the matter, 2 where the command line is. */
export async function run(
  args: readonly string[],
  print: (text: string) => void,
  complain: (text: string) => void = print,
): Promise<number> {
  let values: Values;
  let command: string;
  let files: readonly string[];
  try {
    ({ values, command, files } = read(args));
  } catch (error) {
    if (!(error instanceof UnreelError)) throw error;
    complain(`${error.message}\nunreel --help tells what there is.`);
    return 2;
  }
  if (values.version) {
    print((createRequire(import.meta.url)("unreel/package.json") as { version: string }).version);
    return 0;
  }
  if (values.help || command === "") {
    print(USAGE);
    return values.help ? 0 : 2;
  }
  try {
    const model = await loadModel(files[0], { weights: values.weights });
    if (command === "inspect") await inspect(model, print);
    else await convert(model, files, values, print);
    return 0;
  } catch (error) {
    if (!(error instanceof UnreelError)) throw error;
    complain(inOptions(error.message));
    return 1;
  }
}

function parsed(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true });
}

/** The arguments, whose mistakes are told in one voice. */
function read(args: readonly string[]): { values: Values; command: string; files: readonly string[] } {
  const { values, positionals } = (() => {
    try {
      return parsed(args);
    } catch (error) {
      throw wrongOption(error);
    }
  })();
  const [command = "", ...files] = positionals;
  if (command === "" || values.help || values.version) return { values, command, files };
  if (!Object.hasOwn(COMMANDS, command)) {
    const isFile = /[./\\]/.test(command) && files.length === 0;
    const hint = isFile ? `Write unreel inspect ${command}.` : suggestion(command, Object.keys(COMMANDS));
    throw new UnreelError({ operation: "unreel", expected: "inspect or convert", got: `'${command}'`, hint });
  }
  const wanted = COMMANDS[command];
  if (files.length !== wanted.length) {
    throw new UnreelError({
      operation: `unreel ${command}`,
      expected: wanted.join(" and "),
      got: files.length === 0 ? "nothing" : files.map((file) => `'${file}'`).join(" "),
      hint: `Write unreel ${command} ${wanted.join(" ")}.`,
    });
  }
  const format = values.format ?? formatOfName(files.at(-1)!);
  for (const name of ["format", "no-optimizer", "max-batch", "max-steps"] as const) {
    const given = values[name];
    const isOfWasm = name.startsWith("max");
    if (given === undefined || given === false) continue;
    if (command === "convert" && (!isOfWasm || format === "wasm")) continue;
    throw new UnreelError({
      operation: `unreel ${command}`,
      expected: isOfWasm && command === "convert" ? `--${name} with a .wasm only` : `no --${name}`,
      got: given === true ? `--${name}` : `--${name} ${given}`,
    });
  }
  return { values, command, files };
}

/** What parseArgs complains of. */
function wrongOption(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string };
  if (!code?.startsWith("ERR_PARSE_ARGS")) return error;
  const [, got] = /'(-[^', ]*)/.exec(message) ?? [];
  const names = Object.keys(options).map((name) => `--${name}`);
  if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION" && got) {
    const hint = suggestion(got, names);
    return new UnreelError({ operation: "unreel", expected: "known options", got: `'${got}'`, hint });
  }
  const takes = /argument missing|ambiguous/.test(message) ? "a value" : "no value";
  return new UnreelError({ operation: `unreel: ${got ?? "options"}`, expected: takes, got: message });
}

/** Options of `save` as they are called on the command line. */
function inOptions(message: string): string {
  return message.replace(/\b(maxBatch|maxSteps)\b/g, (name) =>
    name === "maxBatch" ? "--max-batch" : "--max-steps",
  );
}

async function convert(
  model: Model,
  [source, target]: readonly string[],
  values: Values,
  print: (text: string) => void,
): Promise<void> {
  const count = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  await model.save(target, {
    ...(values.format !== undefined && { format: values.format as (typeof FORMATS)[number] }),
    includeOptimizer: !values["no-optimizer"],
    maxBatch: count(values["max-batch"]),
    maxSteps: count(values["max-steps"]),
  });
  print(`${source} -> ${target}`);
  const left = Object.keys(model.assets);
  const isKeras = (values.format ?? formatOfName(target)) === "keras";
  if (left.length > 0 && !isKeras)
    print(`left behind, as only .keras files have a place for them: ${left.join(", ")}`);
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
