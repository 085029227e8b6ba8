// The frame of the examples: options, training with its curves, figures and whether they are reached, the report. Each task is a folder
// whose main.ts calls start(); it is run from its file and can be imported without running.
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { show, UnreelError } from "../../src/errors.js";
import {
  configure,
  type DatasetFitOptions,
  data,
  engineInfo,
  type FitOptions,
  type History,
  type Model,
  setRandomSeed,
} from "../../src/index.js";
import type { InputLike } from "../../src/training/arrays.js";
import type { Chart } from "./chart.js";
import {
  type Declared,
  integer,
  isSwitch,
  type Option,
  parseOptions,
  path,
  seed,
  usage,
  type Values,
} from "./options.js";
import { type Confusion, type Figure, isMissed, showFigure, showGoal, writeReport } from "./report.js";

/** Files that a task reads and that are no part of the project. */
export interface Data {
  /** Below the folder of --data. */
  readonly files: readonly string[];
  /** Where a reader gets them: one sentence. */
  readonly source: string;
  /** What is not there the task fetches from its published address, finds under another name, or does without: it looks itself
   * (`fileIn`). Its quick form is still skipped by the tests. Default false. */
  readonly isOptional?: boolean;
  /** Whether the quick form reads them too. Default true. */
  readonly isForQuick?: boolean;
}

export interface Outcome {
  /** The first one is the task's; those with a goal must reach it. */
  readonly figures: readonly Figure[];
  readonly confusion?: Confusion;
  /** Besides the learning curves. */
  readonly charts?: readonly Chart[];
  /** What the model says, for the reader: printed, and in the report. */
  readonly says?: string;
}

export interface Run<D extends Declared> {
  readonly options: Values<D> & { readonly quick: boolean; readonly epochs: number; readonly seed: number };
  /** The folder that holds the task's files. */
  readonly data: string;
  /** `model.fit` with one line an epoch; loss and metrics become the report's curves, under a name where several models are trained. */
  fit(model: Model, x: InputLike, y: InputLike, options?: FitOptions & { name?: string }): Promise<History>;
  fit(
    model: Model,
    dataset: data.Dataset<unknown>,
    options?: DatasetFitOptions & { name?: string },
  ): Promise<History>;
  /** Runs a part of the job and says how long it took. */
  part<T>(name: string, work: () => T | Promise<T>): Promise<T>;
}

export interface Task<D extends Declared = Declared> {
  /** One sentence. */
  readonly about: string;
  /** Epochs of the whole form and of --quick, when --epochs does not say; a task without them trains nothing. */
  readonly epochs?: { readonly full: number; readonly quick: number };
  readonly data?: Data;
  /** Options of its own. */
  readonly options?: D;
  run(run: Run<D>): Promise<Outcome>;
}

/** Where data lies unless --data says so: the folder that UNREEL_DATA names, or shared/data beside the project. */
export function dataFolder(): string {
  return process.env.UNREEL_DATA ?? fileURLToPath(new URL("../../../../shared/data", import.meta.url));
}

/** The task of the file at `url`, run at once when that file is the program. Exit code 1: an error, or a goal that was missed. */
export async function start<const D extends Declared = Record<never, never>>(
  url: string,
  task: Task<D>,
): Promise<Task<D>> {
  const file = fileURLToPath(url);
  if (process.argv[1] === undefined || realpathSync(process.argv[1]) !== file) return task;
  try {
    if (!(await runTask(basename(dirname(file)), task, process.argv.slice(2)))) process.exitCode = 1;
  } catch (error) {
    console.error(error instanceof UnreelError ? error.message : error);
    process.exitCode = 1;
  }
  return task;
}

/** Runs a task with arguments as a terminal gives them; true when all goals are reached. */
export async function runTask<D extends Declared>(
  name: string,
  task: Task<D>,
  args: readonly string[],
): Promise<boolean> {
  const declared = { ...task.options, ...commonOptions(task) };
  const options = parseOptions(name, args, declared);
  if (!options) {
    console.log(usage(task.about, declared));
    return true;
  }
  const begin = performance.now();
  const given = options as Values<D> & {
    quick: boolean;
    epochs?: number;
    seed: number;
    data?: string;
    report?: string;
    threads: number;
    wide: boolean;
  };
  // What the process was started with stays as it is unless an option says otherwise.
  if (given.threads > 1 || given.wide) configure({ threads: given.threads, wide: given.wide });
  const epochs = given.epochs ?? task.epochs?.[given.quick ? "quick" : "full"] ?? 0;
  const needed = given.quick && task.data?.isForQuick === false ? undefined : task.data;
  const folder = findData(name, needed, given.data);
  const curves: Chart[] = [];
  const models: { title: string; text: string }[] = [];
  setRandomSeed(given.seed);

  const outcome = await task.run({
    options: { ...given, epochs },
    data: folder,
    async fit(
      model: Model,
      x: InputLike | data.Dataset<unknown>,
      ...rest: [(InputLike | FitOptions)?, (FitOptions & { name?: string })?]
    ) {
      const isDataset = x instanceof data.Dataset;
      const { name: label, ...fitOptions } = (rest[isDataset ? 0 : 1] ?? {}) as FitOptions & {
        name?: string;
      };
      const history = isDataset
        ? await model.fit(x, { epochs, ...fitOptions })
        : await model.fit(x as InputLike, rest[0] as InputLike, { epochs, ...fitOptions });
      curves.push(...curvesOf(history.history, label));
      models.push({ title: label ?? "Model", text: model.summary({ print: () => {} }) });
      return history;
    },
    async part(what, work) {
      const start = performance.now();
      const result = await work();
      console.log(`${what}: ${seconds(start)}`);
      return result;
    },
  });

  const { figures, confusion, charts = [], says } = outcome;
  if (says) console.log(`\n${says}`);
  console.log("");
  for (const figure of figures) {
    const goal = showGoal(figure);
    const verdict = goal && `  (must reach: ${goal}${isMissed(figure) ? "; MISSED" : ""})`;
    console.log(`${figure.name}: ${showFigure(figure)}${verdict}`);
  }
  console.log(`all of it: ${seconds(begin)}`);
  if (given.report !== undefined) {
    const { build, threads } = await engineInfo();
    writeReport(given.report, {
      task: name,
      about: task.about,
      command: ["node", `build/examples/${name}/main.js`, ...args].join(" "),
      facts: [
        new Date().toISOString().slice(0, 10),
        `Node ${process.versions.node}`,
        `${build} kernels${threads > 1 ? `, ${threads} threads` : ""}`,
        seconds(begin),
      ],
      figures,
      charts: [...curves, ...charts],
      confusion,
      texts: [...(says ? [{ title: "What it says", text: says }] : []), ...models],
    });
    console.log(`report: ${given.report}`);
  }
  return !figures.some(isMissed);
}

/** The files that are missing for a task, of those it needs. */
export function missingFiles(data: Data | undefined, folder = dataFolder()): string[] {
  return (data?.files ?? []).filter((file) => !existsSync(join(folder, file)));
}

/** The path of a task's file where it is there, for loaders that else fetch it. */
export function fileIn(folder: string, file: string): string | undefined {
  return existsSync(join(folder, file)) ? join(folder, file) : undefined;
}

function findData(name: string, data: Data | undefined, folder = dataFolder()): string {
  const [missing] = missingFiles(data, folder);
  if (missing === undefined || data?.isOptional) return folder;
  throw new UnreelError({
    operation: `${name}: --data`,
    expected: `a folder with ${missing}`,
    got: show(folder),
    hint: data!.source,
  });
}

function commonOptions({ epochs, data }: Pick<Task, "epochs" | "data">): Declared {
  const ofTraining = (): Declared => ({
    epochs: {
      ...(integer(
        0,
        `passes over the training data (${epochs!.full}; quick: ${epochs!.quick})`,
      ) as Option<unknown>),
      byDefault: undefined,
    },
  });
  return {
    ...(epochs ? ofTraining() : {}),
    seed: seed(1, "same seed, same result"),
    ...(data ? { data: path("folder that holds the data (UNREEL_DATA, or ../shared/data)") } : {}),
    threads: integer(1, "threads that share each batch"),
    wide: isSwitch("kernels of 256 bits: faster in Node 22 and newer on x64"),
    quick: isSwitch("a small form of it, in seconds"),
    report: path("writes curves and figures to this HTML file"),
  };
}

/** A chart for each metric: of training, and of validation where there was one. */
function curvesOf(history: History["history"], label: string | undefined): Chart[] {
  const metrics = Object.keys(history).filter((name) => !name.startsWith("val_"));
  return metrics.map((name) => ({
    title: label ? `${label}: ${name}` : name,
    x: "epoch",
    firstX: 1,
    lines: [
      { name: "training", values: history[name] },
      ...(history[`val_${name}`] ? [{ name: "validation", values: history[`val_${name}`] }] : []),
    ],
  }));
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
