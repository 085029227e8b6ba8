// Files changed at random, from a seed: bits, lengths, ends, parts moved or repeated. For fuzzing what reads them.
import { Random } from "../../src/random.js";

/** Numbers that lengths and sizes break at. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff];

/** `count` mutants of a file; the same for the same seed. */
export function* mutants(file: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  const random = new Random(seed);
  const below = (n: number) => Math.min(Math.floor(random.uniform(0, n)), n - 1);
  for (let n = 0; n < count; n++) {
    let bytes = file.slice();
    const changes = 1 + below(4);
    for (let k = 0; k < changes && bytes.length > 0; k++) {
      const at = below(bytes.length);
      const span = 1 + below(Math.min(32, bytes.length - at));
      switch (below(8)) {
        case 0:
          bytes[at] ^= 1 << below(8);
          break;
        case 1:
          bytes[at] = below(256);
          break;
        case 2:
          bytes = bytes.slice(0, at);
          break;
        case 3: {
          // A number of four bytes.
          const edge = EDGES[below(EDGES.length)];
          for (let b = 0; b < 4 && at + b < bytes.length; b++) bytes[at + b] = (edge >>> (8 * b)) & 255;
          break;
        }
        case 4:
          // A number that goes on, as varints do, to its largest.
          bytes.fill(0xff, at, Math.min(at + 1 + below(9), bytes.length));
          break;
        case 5:
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + span)]);
          break;
        case 6:
          bytes = Uint8Array.from([...bytes.subarray(0, at + span), ...bytes.subarray(at)]);
          break;
        default:
          bytes.copyWithin(below(bytes.length), at, at + span);
      }
    }
    yield bytes;
  }
}
