// Damages files at random, from a seed: bits, lengths, ends, pieces; and JSON by its structure.
import type { Random } from "../../src/random.js";

/** Lengths and offsets that no file has. */
const LENGTHS = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];

export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = bytes.slice();
  for (let turns = 1 + random.integer(3); turns > 0; turns--) {
    const at = random.integer(Math.max(1, out.length));
    switch (random.integer(6)) {
      case 0:
        for (let flips = 1 + random.integer(16); flips > 0; flips--)
          out[random.integer(out.length)] ^= 1 << random.integer(8);
        break;
      case 1:
        out = out.slice(0, at);
        break;
      case 2: {
        const value = LENGTHS[random.integer(LENGTHS.length)];
        for (let k = 0; k < 4 && at + k < out.length; k++) out[at + k] = value >>> (8 * k);
        break;
      }
      case 3: {
        // A piece over another one.
        const size = 1 + random.integer(64);
        out.copyWithin(at, random.integer(Math.max(1, out.length)), random.integer(out.length) + size);
        break;
      }
      case 4: {
        const size = random.integer(64);
        const more = new Uint8Array(out.length + size).fill(random.integer(256));
        more.set(out.subarray(0, at));
        more.set(out.subarray(at), at + size);
        out = more;
        break;
      }
      default:
        out.fill(random.integer(2) === 0 ? 0 : 0xff, at, at + random.integer(32));
    }
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
  () => ({ class_name: "Lambda", config: {} }),
  () => ({ class_name: "__proto__", config: { __proto__: null } }),
];

function nested(depth: number): Value {
  let value: Value = 1;
  for (let k = 0; k < depth; k++)
    value = { class_name: "TimeDistributed", config: { name: "t", layer: value } };
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
