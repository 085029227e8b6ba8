// What the machine can do at most at this moment, in this engine: arithmetic in registers, and bytes from memory. A WebAssembly
// module made for it, as text, so that it reads as what it runs.
import type { Build } from "../src/wasm/kernels.js";

/** Independent sums, so that each waits for nobody: enough to hide the latency, few enough to stay in registers. */
const SUMS = 12;
const UNROLLED = 8;
/** Operations of one turn of `chain`. */
const CHAIN_FLOPS = SUMS * UNROLLED * 2 * 4;
/** Bytes of one turn of the streams. */
const LINE = 128;

const range = (n: number) => Array.from({ length: n }, (_, index) => index);
const repeat = (n: number, each: (index: number) => string) => range(n).map(each).join("\n");

/** The module as text. chain: sums of products; read, write, copy, update (to |= from): over bytes (a multiple of 128) from an address. */
export function peakModule(build: Build): string {
  // Each form as the kernels have it: what is fused adds to the sum in place. Two constants would leave nothing to multiply where
  // it is not fused, so there the sum is multiplied.
  const madd =
    build !== "simd"
      ? (sum: number) => `(f32x4.relaxed_madd (local.get $x) (local.get $x) (local.get $s${sum}))`
      : (sum: number) => `(f32x4.add (f32x4.mul (local.get $s${sum}) (local.get $x)) (local.get $x))`;
  const loop = (counter: string, by: number, body: string) => `
    (loop $again
      ${body}
      (br_if $again (local.tee ${counter} (i32.sub (local.get ${counter}) (i32.const ${by})))))`;
  const load = (at: number, pointer = "$from") => `(v128.load offset=${at} (local.get ${pointer}))`;
  const advance = (pointer: string) =>
    `(local.set ${pointer} (i32.add (local.get ${pointer}) (i32.const ${LINE})))`;
  const vectors = LINE / 16;
  return `(module
  (memory (export "memory") 1)
  (func (export "chain") (param $turns i32) (result f32)
    (local $x v128) ${repeat(SUMS, (sum) => `(local $s${sum} v128)`)}
    (local.set $x (f32x4.splat (f32.const 0.5)))
    ${loop(
      "$turns",
      1,
      repeat(UNROLLED, () => repeat(SUMS, (sum) => `(local.set $s${sum} ${madd(sum)})`)),
    )}
    (f32x4.extract_lane 0 ${range(SUMS).reduce((all, sum) => (all ? `(f32x4.add ${all} (local.get $s${sum}))` : `(local.get $s${sum})`), "")}))
  (func (export "read") (param $from i32) (param $bytes i32) (result f32)
    ${repeat(vectors, (sum) => `(local $s${sum} v128)`)}
    ${loop("$bytes", LINE, `${repeat(vectors, (sum) => `(local.set $s${sum} (v128.or (local.get $s${sum}) ${load(16 * sum)}))`)} ${advance("$from")}`)}
    (f32x4.extract_lane 0 ${range(vectors).reduce((all, sum) => (all ? `(v128.or ${all} (local.get $s${sum}))` : `(local.get $s${sum})`), "")}))
  (func (export "write") (param $to i32) (param $bytes i32)
    (local $x v128)
    ${loop("$bytes", LINE, `${repeat(vectors, (at) => `(v128.store offset=${16 * at} (local.get $to) (local.get $x))`)} ${advance("$to")}`)})
  (func (export "copy") (param $to i32) (param $from i32) (param $bytes i32)
    ${loop("$bytes", LINE, `${repeat(vectors, (at) => `(v128.store offset=${16 * at} (local.get $to) ${load(16 * at)})`)} ${advance("$from")} ${advance("$to")}`)})
  (func (export "update") (param $to i32) (param $from i32) (param $bytes i32)
    ${loop("$bytes", LINE, `${repeat(vectors, (at) => `(v128.store offset=${16 * at} (local.get $to) (v128.or ${load(16 * at)} ${load(16 * at, "$to")}))`)} ${advance("$from")} ${advance("$to")}`)}))`;
}

/** The module's bytes. Only where binaryen is installed; engines without it are given them. */
export async function assemble(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  const bytes = new Uint8Array(module.emitBinary());
  module.dispose();
  return bytes;
}

/** A call with the operations or bytes in it. */
export interface Most {
  run(): void;
  amount: number;
}

export class Peak {
  readonly #memory: WebAssembly.Memory;
  readonly #functions: Record<string, (...args: number[]) => number>;

  static async load(bytes: Uint8Array<ArrayBuffer>): Promise<Peak> {
    return new Peak((await WebAssembly.instantiate(bytes, {})).instance.exports);
  }

  private constructor(exports: WebAssembly.Exports) {
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#functions = exports as Record<string, (...args: number[]) => number>;
  }

  /** About 50 microseconds of arithmetic. */
  arithmetic(): Most {
    const turns = 2000;
    return { run: () => void this.#functions.chain(turns), amount: turns * CHAIN_FLOPS };
  }

  /** Reading, writing, copying and updating a block of so many bytes again and again: the nearest memory that holds it. */
  streams(bytes: number): Most[] {
    const size = Math.max(LINE, Math.floor(bytes / LINE) * LINE);
    const half = Math.max(LINE, Math.floor(size / 2 / LINE) * LINE);
    const missing = size + LINE - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / 65536));
    const { read, write, copy, update } = this.#functions;
    return [
      { run: () => void read(0, size), amount: size },
      { run: () => void write(0, size), amount: size },
      { run: () => void copy(half, 0, half), amount: 2 * half },
      { run: () => void update(half, 0, half), amount: 3 * half },
    ];
  }
}
