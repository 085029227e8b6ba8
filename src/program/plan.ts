// The memory plan: where each block of working memory lies, by liveness over the whole program.
// Two blocks share bytes when no call needs both. Blocks are compared only within one unit (the part of their size that
// is known at run time), so the plan holds for every batch size and every length.
import { callsOf, isPointer, type Program, type Storage } from "./program.js";
import { Size } from "./size.js";

const ALIGNMENT = 16;

/** For tests: with a spacing, a multiple of 16, blocks share no memory and at least so many bytes stay free behind each, where
 * nothing may be written (tests/redZones.ts). */
export const spacing = { bytes: 0 };

/** Bytes as blocks take them. */
export function blockBytes(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT + spacing.bytes;
}

interface Life {
  storage: Storage;
  /** Multiples of the unit. */
  coefficient: number;
  unit: Size;
  first: number;
  last: number;
  place: number;
}

/** Gives every working block of `program` its address and returns the bytes that a run needs. */
export function plan(program: Program): Size {
  const arenas = new Map<string, { unit: Size; lives: Life[] }>();
  for (const life of lives(program)) {
    const key = life.unit.toString();
    if (!arenas.has(key)) arenas.set(key, { unit: life.unit, lives: [] });
    arenas.get(key)!.lives.push(life);
  }
  let end = Size.zero;
  for (const { unit, lives } of arenas.values()) {
    const height = place(lives);
    for (const life of lives) life.storage.address = end.plus(unit.times(life.place));
    end = end.plus(unit.times(height));
  }
  return end;
}

/** First and last step that touches each working block: a loop is one step. The host's blocks live throughout. */
function lives(program: Program): Life[] {
  const found = new Map<Storage, Life>();
  const touch = (storage: Storage, first: number, last: number) => {
    if (storage.base !== "work") return;
    const life = found.get(storage);
    if (life) {
      life.first = Math.min(life.first, first);
      life.last = Math.max(life.last, last);
      return;
    }
    const { coefficient, unit } = storage.size.factored();
    const [from, to] = spacing.bytes > 0 ? [0, program.steps.length] : [first, last];
    found.set(storage, {
      storage,
      coefficient: blockBytes(coefficient),
      unit,
      first: from,
      last: to,
      place: 0,
    });
  };
  for (const storage of program.interface) touch(storage, 0, program.steps.length);
  program.steps.forEach((step, index) => {
    for (const { args } of callsOf(step))
      for (const arg of args) if (isPointer(arg)) touch(arg.storage, index, index);
  });
  return [...found.values()];
}

/** Best fit, largest first: each block goes to the lowest place that no block alive with it occupies. Returns the height. */
function place(lives: Life[]): number {
  const placed: Life[] = [];
  let height = 0;
  for (const life of [...lives].sort((a, b) => b.coefficient - a.coefficient || a.first - b.first)) {
    const rivals = placed.filter((other) => other.first <= life.last && life.first <= other.last);
    rivals.sort((a, b) => a.place - b.place);
    let at = 0;
    for (const rival of rivals) {
      if (rival.place - at >= life.coefficient) break;
      at = Math.max(at, rival.place + rival.coefficient);
    }
    life.place = at;
    placed.push(life);
    height = Math.max(height, at + life.coefficient);
  }
  return height;
}
