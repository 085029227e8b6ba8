// Runs the tests with a red zone behind every block of memory, where kernels must not write: npm run test:zones.
// Loaded before the tests. Not a test itself. Each run of a program paints the zones before and looks at them after.

import { Executor } from "../src/graph/executor.js";
import { spacing } from "../src/program/plan.js";
import { type Base, type Storage, storages } from "../src/program/program.js";
import { BoundProgram } from "../src/program/run.js";
import type { Dims } from "../src/program/size.js";
import { configure, type Engine, loadEngine } from "../src/wasm/engine.js";

/** A NaN that no kernel makes: what is read from a zone and used shows in the results, too. */
const PAINT = 0x7fc0dead;

spacing.bytes = 64;

/** The engines by their kernels: those of one thread at once, those of threads, of the wide build and of other settings when a test has
 * loaded them. */
const engines = new Map<unknown, Engine>();
for (const deterministic of [true, false]) {
  configure({ deterministic });
  const engine = await loadEngine();
  engines.set(engine.kernels, engine);
}
const create = Executor.create;
Executor.create = async (...args) => {
  const made = await create.apply(Executor, args);
  engines.set(made.engine.kernels, made.engine);
  return made;
};

type Bases = Readonly<Record<Base, number>>;
interface Zone {
  readonly name: string;
  /** In bytes. */
  readonly from: number;
  readonly to: number;
}
const zones = new WeakMap<BoundProgram, Zone[]>();

/** From the end of a block to the next: at least its spacing, and the bytes that alignment left. */
function zoneOf({ name, base, size, address }: Storage, bases: Bases, dims: Dims): Zone {
  const bytes = size.evaluate(dims);
  const from = bases[base] + address!.evaluate(dims) + bytes;
  return { name: `${base} ${name}`, from, to: Math.ceil(from / 16) * 16 + spacing.bytes };
}

const { prepare, run } = BoundProgram.prototype;

BoundProgram.prototype.prepare = function (this: BoundProgram, bases: Bases, dims: Dims): void {
  prepare.call(this, bases, dims);
  zones.set(
    this,
    [...storages(this.program)]
      // With threads, states of a part lie between those of its neighbours.
      .filter(({ base }) => !(base === "state" && engines.get(this.kernels)?.threads))
      .map((storage) => zoneOf(storage, bases, dims)),
  );
};

BoundProgram.prototype.run = function (this: BoundProgram, from?: number, to?: number): void {
  const { memory } = engines.get(this.kernels)!;
  const all = zones.get(this)!;
  for (const zone of all) memory.integers.fill(PAINT, zone.from / 4, zone.to / 4);
  run.call(this, from, to);
  for (const zone of all) {
    const at = memory.integers.subarray(zone.from / 4, zone.to / 4).findIndex((word) => word !== PAINT);
    if (at >= 0) throw new Error(`${this.program.name}: a kernel wrote ${at * 4} bytes behind ${zone.name}`);
  }
};
