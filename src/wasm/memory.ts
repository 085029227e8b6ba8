// Linear memory and its only allocator: blocks of whole 64-byte lines, first fit, neighbours joined when freed.
// Kernels never allocate; a model asks for a few large blocks and gives them back when it is disposed of.
import { OutOfMemoryError } from "../errors.js";

const PAGE = 65536;
const LINE = 64;
const ADDRESSABLE = 4 * 2 ** 30 - PAGE;

interface Gap {
  address: number;
  bytes: number;
}

export class Memory {
  readonly #memory: WebAssembly.Memory;
  readonly #blocks = new Map<number, number>();
  #gaps: Gap[];
  #floats: Float32Array;
  #integers: Int32Array;
  #doubles: Float64Array;
  /** Bytes that may be in use at once; set by `configure({ memoryLimit })`. */
  limit = Number.POSITIVE_INFINITY;

  constructor(memory: WebAssembly.Memory, heapBase: number) {
    this.#memory = memory;
    const start = roundUp(heapBase, LINE);
    this.#gaps = [{ address: start, bytes: memory.buffer.byteLength - start }];
    this.#floats = new Float32Array(memory.buffer);
    this.#integers = new Int32Array(memory.buffer);
    this.#doubles = new Float64Array(memory.buffer);
  }

  /** All of memory as floats. Growing detaches it: ask again at each use, never keep it. */
  get floats(): Float32Array {
    if (this.#floats.buffer !== this.#memory.buffer) this.#floats = new Float32Array(this.#memory.buffer);
    return this.#floats;
  }

  /** All of memory as 32-bit integers. Growing detaches it: ask again at each use, never keep it. */
  get integers(): Int32Array {
    if (this.#integers.buffer !== this.#memory.buffer) this.#integers = new Int32Array(this.#memory.buffer);
    return this.#integers;
  }

  /** All of memory as 64-bit numbers. Growing detaches it: ask again at each use, never keep it. */
  get doubles(): Float64Array {
    if (this.#doubles.buffer !== this.#memory.buffer) this.#doubles = new Float64Array(this.#memory.buffer);
    return this.#doubles;
  }

  /** Bytes in allocated blocks. */
  get used(): number {
    let sum = 0;
    for (const bytes of this.#blocks.values()) sum += bytes;
    return sum;
  }

  /** Bytes of linear memory, used or free; it never shrinks. */
  get size(): number {
    return this.#memory.buffer.byteLength;
  }

  /** The address of a zeroed block of at least `bytes`, a multiple of 64. `what` names it in errors. */
  allocate(bytes: number, what: string): number {
    // One line more than asked for: vector loads may read past the end of a block.
    const wanted = roundUp(bytes, LINE) + LINE;
    const used = this.used;
    if (used + wanted > this.limit) {
      const more = "or raise configure({ memoryLimit })";
      throw this.#outOfMemory(wanted, what, `memoryLimit of ${this.limit} bytes (${used} in use)`, more);
    }
    let gap = this.#gaps.find((candidate) => candidate.bytes >= wanted);
    if (!gap) gap = this.#grow(wanted, what);
    const address = gap.address;
    gap.address += wanted;
    gap.bytes -= wanted;
    if (gap.bytes === 0) this.#gaps.splice(this.#gaps.indexOf(gap), 1);
    this.#blocks.set(address, wanted);
    this.floats.fill(0, address / 4, (address + wanted) / 4);
    return address;
  }

  free(address: number): void {
    const bytes = this.#blocks.get(address);
    if (bytes === undefined) return;
    this.#blocks.delete(address);
    this.#insert({ address, bytes });
  }

  #grow(wanted: number, what: string): Gap {
    const end = this.size;
    const last = this.#gaps.at(-1);
    const free = last && last.address + last.bytes === end ? last.bytes : 0;
    const pages = Math.ceil((wanted - free) / PAGE);
    if (end + pages * PAGE > ADDRESSABLE)
      throw this.#outOfMemory(wanted, what, "the 4 GiB of 32-bit linear memory", "or a smaller vocabulary");
    try {
      this.#memory.grow(pages);
    } catch {
      throw this.#outOfMemory(wanted, what, "what the system grants", "or end other programs");
    }
    this.#insert({ address: end, bytes: this.size - end });
    return this.#gaps.at(-1)!;
  }

  #insert(gap: Gap): void {
    const gaps = [...this.#gaps, gap].sort((a, b) => a.address - b.address);
    this.#gaps = [];
    for (const next of gaps) {
      const last = this.#gaps.at(-1);
      if (last && last.address + last.bytes === next.address) last.bytes += next.bytes;
      else this.#gaps.push(next);
    }
  }

  #outOfMemory(bytes: number, what: string, bound: string, more: string): OutOfMemoryError {
    return new OutOfMemoryError(bytes, {
      operation: what,
      expected: `memory within ${bound}`,
      got: `a wish for ${bytes} bytes (${Math.ceil(bytes / 2 ** 20)} MiB)`,
      hint: `Use smaller batches (batchSize), shorter sequences or fewer units, ${more}.`,
    });
  }
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
