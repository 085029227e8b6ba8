// What all optimizers share: the learning rate, clipping, weight decay, and the calls of one update in Keras' order.
// Not here: the rules (one file each, next to this one; kernels: assembly/optimizer.ts, adaptive.ts). keras.io/api/optimizers
import { inRange, show, UnreelError } from "../../errors.js";
import type { Update, UpdateSpec } from "../../graph/training.js";
import type { Builder } from "../../ops/builder.js";
import { at } from "../../ops/op.js";
import type { Pointer } from "../../program/program.js";
import { Size } from "../../program/size.js";
import type { Schedule } from "../schedules.js";
import { type Idle, type Rule, updateTable } from "./touched.js";

export type Emit = Builder["call"];

export interface Common {
  /** A number, or one of `schedules.*`. */
  learningRate?: number | Schedule;
  /** Scales each weight's gradient so that its norm is at most this. Default null; 0 is none, as in Keras. */
  clipnorm?: number | null;
  /** Limits each number of a gradient to [-clipvalue, clipvalue]. Default null; 0 is none. */
  clipvalue?: number | null;
  /** Scales all gradients together so that their common norm is at most this. Default null; 0 is none. */
  globalClipnorm?: number | null;
  /** Subtracts this share of a weight, times the learning rate, before each step. Default null (adamw: 0.004). */
  weightDecay?: number | null;
}

/** The options that every optimizer has, with their defaults. */
export function common(learningRate: number): Required<Common> {
  return { learningRate, clipnorm: null, clipvalue: null, globalClipnorm: null, weightDecay: null };
}

export interface OptimizerKind {
  readonly className: string;
  /** Arrays kept for each weight, under Keras' names. */
  readonly slots: readonly string[];
  /** The number each of them begins with; 0 when absent. */
  readonly initial?: readonly number[];
  /** The kernel of the rule: (weight, states, gradient, n, hyper, numbers). */
  readonly kernel: Rule;
  /** The arrays that the kernel takes of those that are kept, in its order; undefined for one that it does without. Default: all. */
  states?(slots: readonly Pointer[]): readonly (Pointer | undefined)[];
  readonly numbers: readonly number[];
  readonly idle: Idle;
  /** What changes from step to step besides the learning rate: written behind it. Steps count from 1. */
  settings?(step: number, learningRate: number): number[];
}

/** An optimizer: how weights follow their gradients. It counts its steps; the arrays it keeps lie with the model. */
export class Optimizer implements UpdateSpec {
  readonly className: string;
  readonly config: Readonly<Required<Common>>;
  readonly slots: readonly string[];
  readonly initial: readonly number[];
  /** Steps taken. */
  iterations = 0;
  readonly #kind: OptimizerKind;
  readonly #operation: string;
  #learningRate: number | Schedule;

  constructor(kind: OptimizerKind, config: Required<Common>) {
    const operation = `optimizers.${kind.className.toLowerCase()}`;
    this.#kind = kind;
    this.#operation = operation;
    this.className = kind.className;
    this.slots = kind.slots;
    this.initial = kind.initial ?? [];
    this.config = config;
    this.#learningRate = checkRate(operation, config.learningRate);
    for (const name of ["clipnorm", "clipvalue", "globalClipnorm", "weightDecay"] as const) {
      if (config[name] !== null) inRange(`${operation}: ${name}`, config[name], 0, Number.MAX_VALUE);
    }
    if (
      [config.clipnorm, config.clipvalue, config.globalClipnorm].filter((limit) => limit !== null).length > 1
    ) {
      throw new UnreelError({
        operation,
        expected: "one of clipnorm, clipvalue and globalClipnorm",
        got: "several",
      });
    }
  }

  /** The rate of the next step. May be set between steps, by callbacks too, unless a schedule was given: then only to another. */
  get learningRate(): number {
    if (typeof this.#learningRate === "number") return this.#learningRate;
    const { className } = this.#learningRate;
    const rate = this.#learningRate.at(this.iterations);
    return inRange(`${this.#operation}: ${className}, step ${this.iterations}`, rate, 0, Number.MAX_VALUE);
  }

  set learningRate(rate: number | Schedule) {
    if (typeof rate === "number" && typeof this.#learningRate !== "number") {
      throw new UnreelError({
        operation: `${this.#operation}: learningRate`,
        expected: `a schedule, because it has one (${this.#learningRate.className})`,
        got: show(rate),
        hint: "Only an optimizer made with a number can be set to another number.",
      });
    }
    this.#learningRate = checkRate(this.#operation, rate);
  }

  /** The schedule that gives the rate, if one does. */
  get schedule(): Schedule | undefined {
    return typeof this.#learningRate === "number" ? undefined : this.#learningRate;
  }

  get waiting(): number | undefined {
    return this.#kind.idle === "decays" ? this.#kind.numbers[0] : undefined;
  }

  /** The calls of one step, in Keras' order: clip, decay, rule. */
  emit(emit: Emit, updates: readonly Update[], hyper: Pointer): void {
    const { clipnorm, clipvalue, globalClipnorm, weightDecay } = this.config;
    if (globalClipnorm) {
      const squares = at({ name: "gradientSquares", base: "work", size: Size.of(4) });
      emit("fill", squares, 0, 1);
      for (const update of updates) emit("sumSquares", squares, update.gradient, ...extent(update));
      for (const update of updates)
        emit("clipByGlobalNorm", update.gradient, squares, globalClipnorm, ...extent(update));
    }
    for (const update of updates) {
      const { weight, gradient, size } = update;
      if (clipnorm) emit("clipByNorm", gradient, clipnorm, ...extent(update));
      if (clipvalue) emit("clipByValue", gradient, clipvalue, ...extent(update));
      if (weightDecay) emit("decayWeights", weight, size, hyper, weightDecay);
      this.#update(emit, update, hyper);
    }
  }

  #update(emit: Emit, update: Update, hyper: Pointer): void {
    const { kernel, numbers } = this.#kind;
    const { weight, gradient, slots, size, touched } = update;
    const states = (this.#kind.states?.(slots) ?? slots).map((state) => state ?? 0);
    if (touched) updateTable(emit, this.#kind, states, update, hyper);
    else emit(kernel, weight, ...states, gradient, size, hyper, ...numbers);
  }

  /** The settings of the next step, as the kernels read them from memory. */
  settings(): number[] {
    const rate = this.learningRate;
    return [rate, ...(this.#kind.settings?.(this.iterations + 1, rate) ?? [])];
  }
}

/** How long a gradient is, for kernels that clip it: numbers in a row and the number of rows, or all numbers and 0. */
function extent({ size, touched }: Update): [number | Size, Pointer | 0] {
  return touched ? [touched.width, touched.count] : [size, 0];
}

function checkRate(operation: string, rate: number | Schedule): number | Schedule {
  if (isSchedule(rate)) return rate;
  return inRange(`${operation}: learningRate`, rate, 0, Number.MAX_VALUE);
}

/** Checks the decay rates and epsilons of an optimizer by their names. */
export function checkNumbers(operation: string, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    const isRate = /^(beta|rho|momentum)/.test(name);
    inRange(
      `${operation}: ${name}`,
      value,
      0,
      isRate ? 1 : Number.MAX_VALUE,
      name === "rho" || name === "momentum",
    );
  }
}

function isSchedule(value: unknown): value is Schedule {
  return typeof value === "object" && value !== null && typeof (value as Schedule).at === "function";
}
