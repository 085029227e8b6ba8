// Blocks of words, element by element: fill, copy, arithmetic with its gradients, transpose, reverse.
// Not here: sums over a block (reduce.ts), functions with a curve (activation.ts), matrix products (gemm.ts).
// Shapes: every block is [n] unless its line says otherwise. An output may be the same block as an input.

import { LANES, VECTOR, calledStoreTail, half4, keep4, load4, splat, store4, storeTail } from "./simd";

// What one vector of the result is made of; a compile-time constant, so each kernel keeps only its own line.
const enum Term {
  Value,
  Scaled,
  Add,
  Subtract,
  Multiply,
  Divide,
  Maximum,
  Minimum,
  PlusScaled,
  PlusProduct,
  PlusQuotient,
  MinusQuotientSlope,
  PlusWinner,
}

// @ts-expect-error: decorator
@inline
function term(kind: Term, out: usize, a: usize, b: usize, c: usize, scale: v128): v128 {
  if (kind == Term.Value) return scale;
  if (kind == Term.Scaled) return f32x4.mul(load4(a), scale);
  if (kind == Term.Add) return f32x4.add(load4(a), load4(b));
  if (kind == Term.Subtract) return f32x4.sub(load4(a), load4(b));
  if (kind == Term.Multiply) return f32x4.mul(load4(a), load4(b));
  if (kind == Term.Divide) return f32x4.div(load4(a), load4(b));
  if (kind == Term.Maximum) return f32x4.max(load4(a), load4(b));
  if (kind == Term.Minimum) return f32x4.min(load4(a), load4(b));
  if (kind == Term.PlusScaled) return f32x4.add(load4(out), f32x4.mul(load4(a), scale));
  if (kind == Term.PlusProduct) return f32x4.add(load4(out), f32x4.mul(load4(a), load4(b)));
  if (kind == Term.PlusQuotient) return f32x4.add(load4(out), f32x4.div(load4(a), load4(b)));
  if (kind == Term.MinusQuotientSlope) {
    const divisor = load4(c);
    return f32x4.sub(load4(out), f32x4.div(f32x4.mul(load4(a), f32x4.div(load4(b), divisor)), divisor));
  }
  // PlusWinner: a where b > c, half of it where they are equal.
  const half = half4();
  const share = f32x4.add(
    keep4(f32x4.ge(load4(b), load4(c)), half),
    keep4(f32x4.gt(load4(b), load4(c)), half),
  );
  return f32x4.add(load4(out), f32x4.mul(load4(a), share));
}

// @ts-expect-error: decorator
@inline
function map(kind: Term, out: usize, a: usize, b: usize, c: usize, scale: f32, n: i32): void {
  const factor = splat(scale);
  for (; n >= LANES; n -= LANES) {
    store4(out, term(kind, out, a, b, c, factor));
    out += VECTOR;
    a += VECTOR;
    b += VECTOR;
    c += VECTOR;
  }
  if (n > 0) calledStoreTail(out, term(kind, out, a, b, c, factor), n);
}

/** out = value */
export function fill(out: usize, value: f32, n: i32): void {
  map(Term.Value, out, 0, 0, 0, value, n);
}

/** out = x; words of any kind. */
export function copy(out: usize, x: usize, n: i32): void {
  memory.copy(out, x, <usize>n << 2);
}

/** out += x; also the gradient of add, copy and subtract's first operand. */
export function accumulate(out: usize, x: usize, n: i32): void {
  map(Term.Add, out, out, x, 0, 0, n);
}

/** out -= x; also the gradient of subtract's second operand. */
export function subtractAccumulate(out: usize, x: usize, n: i32): void {
  scaleAccumulate(out, x, -1, n);
}

/** out = x * scale */
export function scale(out: usize, x: usize, scale: f32, n: i32): void {
  map(Term.Scaled, out, x, 0, 0, scale, n);
}

/** out += x * scale; also the gradient of scale. */
// @ts-expect-error: decorator
@call
export function scaleAccumulate(out: usize, x: usize, scale: f32, n: i32): void {
  map(Term.PlusScaled, out, x, 0, 0, scale, n);
}

/** out = a + b */
export function add(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.Add, out, a, b, 0, 0, n);
}

/** out = a - b */
export function subtract(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.Subtract, out, a, b, 0, 0, n);
}

/** out = a * b */
export function multiply(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.Multiply, out, a, b, 0, 0, n);
}

/** out += a * b; also the gradient of multiply: da += dout * b. */
export function multiplyAccumulate(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.PlusProduct, out, a, b, 0, 0, n);
}

/** out = a / b */
export function divide(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.Divide, out, a, b, 0, 0, n);
}

/** da += dout / b, db -= dout * a / b^2; da or db may be absent. */
export function divideBackward(da: usize, db: usize, dout: usize, a: usize, b: usize, n: i32): void {
  if (da) map(Term.PlusQuotient, da, dout, b, 0, 0, n);
  if (db) map(Term.MinusQuotientSlope, db, dout, a, b, 0, n);
}

/** out = max(a, b); NaN if either is. */
export function maximum(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.Maximum, out, a, b, 0, 0, n);
}

/** da += dout where a is the larger, half of it on a tie. */
// @ts-expect-error: decorator
@call
function winnerBackward(da: usize, dout: usize, a: usize, b: usize, n: i32): void {
  map(Term.PlusWinner, da, dout, a, b, 0, n);
}

/** dout goes to the larger operand, half to each on a tie; da or db may be absent. */
export function maximumBackward(da: usize, db: usize, dout: usize, a: usize, b: usize, n: i32): void {
  if (da) winnerBackward(da, dout, a, b, n);
  if (db) winnerBackward(db, dout, b, a, n);
}

/** out = min(a, b); NaN if either is. */
export function minimum(out: usize, a: usize, b: usize, n: i32): void {
  map(Term.Minimum, out, a, b, 0, 0, n);
}

/** dout goes to the smaller operand, half to each on a tie; da or db may be absent. */
export function minimumBackward(da: usize, db: usize, dout: usize, a: usize, b: usize, n: i32): void {
  maximumBackward(db, da, dout, a, b, n);
}

// ---- rows moved as they are -----------------------------------------------------------------------------------------

/** From this many words on, memory.copy pays for its call. */
const LONG_ROW: i32 = 64;

/** out = x or out += x over one row of n words. */
// @ts-expect-error: decorator
@inline
function row(out: usize, x: usize, n: i32, accumulating: bool): void {
  if (!accumulating && n >= LONG_ROW) {
    memory.copy(out, x, <usize>n << 2);
    return;
  }
  for (; n >= LANES; n -= LANES) {
    store4(out, accumulating ? f32x4.add(load4(out), load4(x)) : load4(x));
    out += VECTOR;
    x += VECTOR;
  }
  if (n > 0) storeTail(out, accumulating ? f32x4.add(load4(out), load4(x)) : load4(x), n);
}

// @ts-expect-error: decorator
@inline
function put(out: usize, v: v128, accumulating: bool): void {
  store4(out, accumulating ? f32x4.add(load4(out), v) : v);
}

// @ts-expect-error: decorator
@inline
function word(out: usize, x: usize, accumulating: bool): void {
  if (accumulating) store<f32>(out, load<f32>(out) + load<f32>(x));
  else store<u32>(out, load<u32>(x));
}

/** inner = 1: squares of 4 x 4 in registers, then the edges word by word. */
// @ts-expect-error: decorator
@call
function transposeWords(out: usize, x: usize, rows: i32, columns: i32, accumulating: bool): void {
  const xRow = <usize>columns << 2;
  const outRow = <usize>rows << 2;
  for (let r = 0; r < rows; r++) {
    let from = x + <usize>r * xRow;
    let to = out + (<usize>r << 2);
    let c = 0;
    if (r + LANES <= rows) {
      for (; c + LANES <= columns; c += LANES) {
        const a = load4(from);
        const b = load4(from + xRow);
        const d = load4(from + 2 * xRow);
        const e = load4(from + 3 * xRow);
        const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
        const de = i32x4.shuffle(d, e, 0, 4, 1, 5);
        const ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
        const de2 = i32x4.shuffle(d, e, 2, 6, 3, 7);
        put(to, i32x4.shuffle(ab, de, 0, 1, 4, 5), accumulating);
        put(to + outRow, i32x4.shuffle(ab, de, 2, 3, 6, 7), accumulating);
        put(to + 2 * outRow, i32x4.shuffle(ab2, de2, 0, 1, 4, 5), accumulating);
        put(to + 3 * outRow, i32x4.shuffle(ab2, de2, 2, 3, 6, 7), accumulating);
        from += VECTOR;
        to += 4 * outRow;
      }
      // The edge columns of these four rows; the squares above did the rest of them.
      for (; c < columns; c++, from += 4, to += outRow) {
        for (let k: usize = 0; k < 4; k++) word(to + 4 * k, from + k * xRow, accumulating);
      }
      r += LANES - 1;
    }
    for (; c < columns; c++, from += 4, to += outRow) word(to, from, accumulating);
  }
}

// @ts-expect-error: decorator
@inline
function transposeRows(out: usize, x: usize, rows: i32, columns: i32, inner: i32, accumulating: bool): void {
  const size = <usize>inner << 2;
  for (let r = 0; r < rows; r++) {
    let to = out + <usize>r * size;
    for (let c = 0; c < columns; c++, x += size, to += <usize>rows * size) row(to, x, inner, accumulating);
  }
}

/** out [columns, rows, inner] = x [rows, columns, inner] with the first two axes exchanged; words of any kind. */
export function transpose(out: usize, x: usize, rows: i32, columns: i32, inner: i32): void {
  if (inner == 1) transposeWords(out, x, rows, columns, false);
  else transposeRows(out, x, rows, columns, inner, false);
}

/** The same, added to out. */
export function transposeAccumulate(out: usize, x: usize, rows: i32, columns: i32, inner: i32): void {
  if (inner == 1) transposeWords(out, x, rows, columns, true);
  else transposeRows(out, x, rows, columns, inner, true);
}

/** out [rows, inner] = the rows of x in reverse order; words of any kind. */
export function reverse(out: usize, x: usize, rows: i32, inner: i32): void {
  const size = <usize>inner << 2;
  for (let r = rows - 1; r >= 0; r--, out += size) row(out, x + <usize>r * size, inner, false);
}

/** The same, added to out. */
export function reverseAccumulate(out: usize, x: usize, rows: i32, inner: i32): void {
  const size = <usize>inner << 2;
  for (let r = rows - 1; r >= 0; r--, out += size) scaleAccumulate(out, x + <usize>r * size, 1, inner);
}
