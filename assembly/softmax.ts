// Softmax and its logarithm over the last axis.
// Not here: the losses that take logits (crossentropy.ts), attention's masked softmax.
// Shapes: out, x, dx, dout [rows, columns].

import { calledExp4, exp4, logScalar } from "./math";
import { rowDot, rowExpSum, rowMax, rowSum } from "./row";
import { LANES, VECTOR, keep4, laneMask, load4, madd, nmadd, splat, storeUpTo4, sumLanes, writeUpTo4 } from "./simd";

/** out = e^(x - max) / sum of e^(x - max) */
export function softmax(out: usize, x: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, out += stride, x += stride) {
    const top = splat(rowMax(x, columns));
    let total = splat(0);
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      const e = exp4(f32x4.sub(load4(x + i), top));
      total = f32x4.add(total, keep4(laneMask(n), e));
      storeUpTo4(out + i, e, n);
    }
    const scale = splat(1 / sumLanes(total));
    n = columns;
    for (let p = out; n > 0; n -= LANES, p += VECTOR) storeUpTo4(p, f32x4.mul(load4(p), scale), n);
  }
}

/** dx += out (dout - sum of dout*out) */
export function softmaxBackward(dx: usize, dout: usize, out: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dx += stride, dout += stride, out += stride) {
    const mean = splat(rowDot(dout, out, columns));
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      storeUpTo4(dx + i, madd(load4(out + i), f32x4.sub(load4(dout + i), mean), load4(dx + i)), n);
    }
  }
}

/** out = x - max - log of the sum of e^(x - max) */
export function logSoftmax(out: usize, x: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, out += stride, x += stride) {
    const top = rowMax(x, columns);
    const logSum = splat(logScalar(rowExpSum(x, top, columns)));
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      writeUpTo4(out + i, f32x4.sub(f32x4.sub(load4(x + i), splat(top)), logSum), n);
    }
  }
}

/** dx += dout - e^out * sum of dout */
export function logSoftmaxBackward(dx: usize, dout: usize, out: usize, rows: i32, columns: i32): void {
  const stride = <usize>columns << 2;
  for (; rows > 0; rows--, dx += stride, dout += stride, out += stride) {
    const sum = splat(rowSum(dout, columns));
    let n = columns;
    for (let i: usize = 0; n > 0; n -= LANES, i += VECTOR) {
      writeUpTo4(dx + i, f32x4.add(load4(dx + i), nmadd(calledExp4(load4(out + i)), sum, load4(dout + i))), n);
    }
  }
}
