// Numbers as files hold them, little-endian: views of the file's bytes where they are aligned, copies elsewhere.

type Wide =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Int32ArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | BigInt64ArrayConstructor;

/** The bytes as numbers of one kind: without a copy if they lie on a multiple of a number's size. */
export function numbersOf<K extends Wide>(Kind: K, bytes: Uint8Array): InstanceType<K> {
  const size = Kind.BYTES_PER_ELEMENT;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Kind(buffer as ArrayBuffer, byteOffset, byteLength / size) as InstanceType<K>;
}

/** The bytes of numbers, without a copy. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Half precision: one bit of sign, five of exponent, ten of fraction. */
export function fromHalves(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i] & 0x8000) << 16;
    const exponent = (bits[i] >> 10) & 31;
    const fraction = bits[i] & 1023;
    if (exponent === 0) {
      // Below the smallest normal number: fraction · 2^-24.
      out[i] = fraction === 0 ? sign : sign | subnormal(fraction);
    } else out[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return new Float32Array(out.buffer);
}

function subnormal(fraction: number): number {
  const lead = Math.clz32(fraction) - 21;
  return ((113 - lead) << 23) | (((fraction << lead) & 1023) << 13);
}

/** Brain floats: the upper half of a single. */
export function fromBrain(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i] << 16;
  return new Float32Array(out.buffer);
}

/** A matrix [rows, columns] with rows and columns exchanged; `into` may be a part of a larger one, `stride` numbers from row to row. */
export function turned(
  values: ArrayLike<number>,
  rows: number,
  columns: number,
  into: Float32Array = new Float32Array(rows * columns),
  at = 0,
  stride = rows,
): Float32Array {
  // In tiles, so that neither side leaves the cache.
  const [ROWS, COLUMNS] = [32, 8];
  for (let r0 = 0; r0 < rows; r0 += ROWS) {
    const r1 = Math.min(r0 + ROWS, rows);
    for (let c0 = 0; c0 < columns; c0 += COLUMNS) {
      const c1 = Math.min(c0 + COLUMNS, columns);
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) into[at + c * stride + r] = values[r * columns + c];
      }
    }
  }
  return into;
}
