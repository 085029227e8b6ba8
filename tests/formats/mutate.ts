// Damages files at random, from a seed: bits, lengths, ends, pieces; and JSON by its structure.
import type { Random } from "../../src/random.js";

/** Lengths and offsets that no file has, and numbers that counts break at. */
const LENGTHS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

type Way = (bytes: Uint8Array, at: number, random: Random) => Uint8Array;

function inPlace(change: (bytes: Uint8Array, at: number, random: Random) => void): Way {
  return (bytes, at, random) => {
    change(bytes, at, random);
    return bytes;
  };
}

/** Everything else stays where it is: what is checked first does not find them. */
const IN_PLACE: readonly Way[] = [
  inPlace((bytes, _, random) => {
    for (let flips = 1 + random.integer(16); flips > 0; flips--)
      bytes[random.integer(bytes.length)] ^= 1 << random.integer(8);
  }),
  inPlace((bytes, at, random) => {
    bytes[at] = random.integer(256);
  }),
  // A number of four bytes, or of eight.
  inPlace((bytes, at, random) => {
    const value = LENGTHS[random.integer(LENGTHS.length)];
    const size = random.integer(4) === 0 ? 8 : 4;
    for (let k = 0; k < size && at + k < bytes.length; k++) bytes[at + k] = k < 4 ? value >>> (8 * k) : 0;
  }),
  // A piece over another one.
  inPlace((bytes, at, random) => {
    const from = random.integer(bytes.length);
    bytes.copyWithin(at, from, from + 1 + random.integer(64));
  }),
  // Ones also make numbers that go on, as those of variable length do, to their largest.
  inPlace((bytes, at, random) => {
    bytes.fill(random.integer(2) === 0 ? 0 : 0xff, at, at + random.integer(32));
  }),
];

const WAYS: readonly Way[] = [
  ...IN_PLACE,
  (bytes, at) => bytes.slice(0, at),
  // A piece gone, or twice, or something between.
  (bytes, at, random) => joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(32))),
  (bytes, at, random) => joined(bytes.subarray(0, at + 1 + random.integer(32)), bytes.subarray(at)),
  (bytes, at, random) => {
    const more = new Uint8Array(random.integer(64)).fill(random.integer(256));
    return joined(bytes.subarray(0, at), more, bytes.subarray(at));
  },
];

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The same bytes but for one to four changes. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out: Uint8Array = bytes.slice();
  const ways = random.integer(2) === 0 ? IN_PLACE : WAYS;
  for (let turns = 1 + random.integer(4); turns > 0 && out.length > 0; turns--) {
    out = ways[random.integer(ways.length)](out, random.integer(out.length), random);
  }
  return out;
}

type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

const ODD: readonly (() => Value)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 0.5,
  () => 1e9,
  () => 2 ** 53,
  () => 1e308,
  () => "",
  () => "lambda",
  () => [],
  () => ({}),
  () => nested(200),
  () => lists(200),
  () => lists(1900),
  () => Array.from({ length: 3000 }, (_, k) => k),
  () => [[2 ** 31, 2 ** 31]],
  () => "x".repeat(5000),
  () => ({ class_name: "Lambda", config: {} }),
  () => ({ class_name: "__proto__", config: { __proto__: null } }),
];

function nested(depth: number): Value {
  let value: Value = 1;
  for (let k = 0; k < depth; k++)
    value = { class_name: "TimeDistributed", config: { name: "t", layer: value } };
  return value;
}

function lists(depth: number): Value {
  let value: Value = [];
  for (let k = 0; k < depth; k++) value = [value];
  return value;
}

/** The same JSON with some of its values others. */
export function mutatedJson(text: string, random: Random): string {
  const root = JSON.parse(text) as Value;
  for (let turns = 1 + random.integer(2); turns > 0; turns--) {
    const places: [{ [key: string]: Value }, string][] = [];
    const visit = (value: Value) => {
      if (typeof value !== "object" || value === null) return;
      const holder = value as { [key: string]: Value };
      for (const key of Object.keys(holder)) {
        places.push([holder, key]);
        visit(holder[key]);
      }
    };
    visit(root);
    const [holder, key] = places[random.integer(places.length)];
    const way = random.integer(8);
    if (way < 2) delete holder[key];
    else if (way === 2) holder[key] = places[random.integer(places.length)][0];
    else holder[key] = ODD[random.integer(ODD.length)]();
    try {
      JSON.stringify(root);
    } catch {
      // A value inside itself.
      holder[key] = null;
    }
  }
  return JSON.stringify(root);
}
