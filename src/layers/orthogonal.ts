// Makes random vectors orthonormal, fast enough for a thousand units: Gram and Schmidt's way, four vectors at a time, in double
// precision. From normally distributed vectors it gives a uniformly distributed orthogonal matrix (as QR with positive diagonal).

const BLOCK = 4;

/** Orthonormalizes `count` row vectors of `length` in place; count must not exceed length. */
export function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  for (let row = 0; row < count; row++) {
    const target = vectors.subarray(row * length, (row + 1) * length);
    // Blocks of finished vectors are mutually orthogonal, so all four shadows may be taken before any is removed.
    let first = 0;
    for (; first + BLOCK <= row; first += BLOCK) removeFour(target, vectors, first * length, length);
    for (; first < row; first++) removeOne(target, vectors.subarray(first * length, (first + 1) * length));
    normalize(target);
  }
}

function removeFour(target: Float64Array, vectors: Float64Array, start: number, length: number): void {
  const a = vectors.subarray(start, start + length);
  const b = vectors.subarray(start + length, start + 2 * length);
  const c = vectors.subarray(start + 2 * length, start + 3 * length);
  const d = vectors.subarray(start + 3 * length, start + 4 * length);
  let [onA, onB, onC, onD] = [0, 0, 0, 0];
  for (let i = 0; i < length; i++) {
    const value = target[i];
    onA += value * a[i];
    onB += value * b[i];
    onC += value * c[i];
    onD += value * d[i];
  }
  for (let i = 0; i < length; i++) target[i] -= onA * a[i] + onB * b[i] + onC * c[i] + onD * d[i];
}

function removeOne(target: Float64Array, from: Float64Array): void {
  let shadow = 0;
  for (let i = 0; i < target.length; i++) shadow += target[i] * from[i];
  for (let i = 0; i < target.length; i++) target[i] -= shadow * from[i];
}

function normalize(target: Float64Array): void {
  let square = 0;
  for (let i = 0; i < target.length; i++) square += target[i] * target[i];
  const scale = 1 / Math.sqrt(square);
  for (let i = 0; i < target.length; i++) target[i] *= scale;
}
