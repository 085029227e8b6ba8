// Makes random vectors orthonormal, fast enough for a thousand units: Gram and Schmidt's way, four vectors at a time, in double
// precision. From normally distributed vectors it gives a uniformly distributed orthogonal matrix (as QR with positive diagonal).

const BLOCK = 4;
/** Vectors that are freed together from the finished ones, so that these are read from far memory once for all of them. */
const TOGETHER = 32;

/** Orthonormalizes `count` row vectors of `length` in place; count must not exceed length. */
export function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  for (let start = 0; start < count; start += TOGETHER) {
    const end = Math.min(start + TOGETHER, count);
    // Finished vectors are orthogonal to each other, so four shadows may be taken before any is removed.
    for (let first = 0; first < start; first += BLOCK) {
      for (let row = start; row < end; row++) removeFour(vectors, row * length, first * length, length);
    }
    for (let row = start; row < end; row++) {
      let first = start;
      for (; first + BLOCK <= row; first += BLOCK) removeFour(vectors, row * length, first * length, length);
      for (; first < row; first++) removeOne(vectors, row * length, first * length, length);
      normalize(vectors, row * length, length);
    }
  }
}

/** Takes from the vector at `target` its shadows on the four vectors from `a` on. */
function removeFour(vectors: Float64Array, target: number, a: number, length: number): void {
  const b = a + length;
  const c = b + length;
  const d = c + length;
  let onA = 0;
  let onB = 0;
  let onC = 0;
  let onD = 0;
  for (let i = 0; i < length; i++) {
    const value = vectors[target + i];
    onA += value * vectors[a + i];
    onB += value * vectors[b + i];
    onC += value * vectors[c + i];
    onD += value * vectors[d + i];
  }
  for (let i = 0; i < length; i++) {
    vectors[target + i] -=
      onA * vectors[a + i] + onB * vectors[b + i] + onC * vectors[c + i] + onD * vectors[d + i];
  }
}

function removeOne(vectors: Float64Array, target: number, from: number, length: number): void {
  let shadow = 0;
  for (let i = 0; i < length; i++) shadow += vectors[target + i] * vectors[from + i];
  for (let i = 0; i < length; i++) vectors[target + i] -= shadow * vectors[from + i];
}

function normalize(vectors: Float64Array, start: number, length: number): void {
  let square = 0;
  for (let i = start; i < start + length; i++) square += vectors[i] * vectors[i];
  const scale = 1 / Math.sqrt(square);
  for (let i = start; i < start + length; i++) vectors[i] *= scale;
}
