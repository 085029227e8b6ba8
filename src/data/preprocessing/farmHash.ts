// FarmHash64 of bytes (Google's farmhashna::Hash64, in 64-bit integers): how TensorFlow, and so Keras, spreads unknown tokens over
// several ids. Published by Geoff Pike, Google, under the MIT licence: https://github.com/google/farmhash.

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;

const wrap = (x: bigint) => BigInt.asUintN(64, x);
const rotate = (x: bigint, by: bigint) => wrap((x >> by) | (x << (64n - by)));
const shiftMix = (x: bigint) => x ^ (x >> 47n);

function mix(u: bigint, v: bigint, mul: bigint): bigint {
  const a = shiftMix(wrap((u ^ v) * mul));
  return wrap(shiftMix(wrap((v ^ a) * mul)) * mul);
}

type Pair = [bigint, bigint];
type Read = (at: number) => bigint;

/** Of 32 bytes with two seeds. */
function weak(read: Read, at: number, seedA: bigint, seedB: bigint): Pair {
  const first = wrap(seedA + read(at));
  const last = read(at + 24);
  const b = rotate(wrap(seedB + first + last), 21n);
  const a = wrap(first + read(at + 8) + read(at + 16));
  return [wrap(a + last), wrap(b + rotate(a, 44n) + first)];
}

export function farmHash64(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read: Read = (at) => view.getBigUint64(at, true);
  const { length } = bytes;
  const mul = wrap(K2 + BigInt(length) * 2n);
  if (length > 64) return long(read, length);
  if (length > 16) return middle(read, length, mul);
  if (length >= 8) {
    const a = wrap(read(0) + K2);
    const b = read(length - 8);
    return mix(wrap(rotate(b, 37n) * mul + a), wrap((rotate(a, 25n) + b) * mul), mul);
  }
  if (length >= 4) {
    const a = BigInt(view.getUint32(0, true));
    return mix(BigInt(length) + (a << 3n), BigInt(view.getUint32(length - 4, true)), mul);
  }
  if (length === 0) return K2;
  const y = BigInt(bytes[0] + (bytes[length >> 1] << 8));
  const z = BigInt(length + (bytes[length - 1] << 2));
  return wrap(shiftMix(wrap(y * K2) ^ wrap(z * K0)) * K2);
}

/** 17 to 64 bytes. */
function middle(read: Read, length: number, mul: bigint): bigint {
  const isShort = length <= 32;
  const a = wrap(read(0) * (isShort ? K1 : K2));
  const b = read(8);
  const c = wrap(read(length - 8) * mul);
  const d = wrap(read(length - 16) * K2);
  const y = wrap(rotate(wrap(a + b), 43n) + rotate(c, 30n) + d);
  const z = mix(y, wrap(a + rotate(wrap(b + K2), 18n) + c), mul);
  if (isShort) return z;
  const e = wrap(read(16) * mul);
  const f = read(24);
  const g = wrap((y + read(length - 32)) * mul);
  const h = wrap((z + read(length - 24)) * mul);
  return mix(
    wrap(rotate(wrap(e + f), 43n) + rotate(g, 30n) + h),
    wrap(e + rotate(wrap(f + a), 18n) + g),
    mul,
  );
}

function long(read: Read, length: number): bigint {
  let y = wrap(81n * K1 + 113n);
  let z = wrap(shiftMix(wrap(y * K2 + 113n)) * K2);
  let x = wrap(81n * K2 + read(0));
  let v: Pair = [0n, 0n];
  let w: Pair = [0n, 0n];
  const end = Math.floor((length - 1) / 64) * 64;
  for (let at = 0; at < end; at += 64) {
    x = wrap(rotate(wrap(x + y + v[0] + read(at + 8)), 37n) * K1) ^ w[1];
    y = wrap(wrap(rotate(wrap(y + v[1] + read(at + 48)), 42n) * K1) + v[0] + read(at + 40));
    z = wrap(rotate(wrap(z + w[0]), 33n) * K1);
    v = weak(read, at, wrap(v[1] * K1), wrap(x + w[0]));
    w = weak(read, at + 32, wrap(z + w[1]), wrap(y + read(at + 16)));
    [z, x] = [x, z];
  }
  const mul = wrap(K1 + ((z & 0xffn) << 1n));
  const at = length - 64;
  w[0] = wrap(w[0] + BigInt((length - 1) & 63));
  v[0] = wrap(v[0] + w[0]);
  w[0] = wrap(w[0] + v[0]);
  x = wrap(rotate(wrap(x + y + v[0] + read(at + 8)), 37n) * mul) ^ wrap(w[1] * 9n);
  y = wrap(wrap(rotate(wrap(y + v[1] + read(at + 48)), 42n) * mul) + v[0] * 9n + read(at + 40));
  z = wrap(rotate(wrap(z + w[0]), 33n) * mul);
  v = weak(read, at, wrap(v[1] * mul), wrap(x + w[0]));
  w = weak(read, at + 32, wrap(z + w[1]), wrap(y + read(at + 16)));
  [z, x] = [x, z];
  return mix(wrap(mix(v[0], w[0], mul) + wrap(shiftMix(y) * K0) + z), wrap(mix(v[1], w[1], mul) + x), mul);
}
