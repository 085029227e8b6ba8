// Convolutions and pooling, written slowly and plainly in float64 on batch-major arrays [B, T, C].
// Definitions: keras.ops.conv, depthwise_conv, conv_transpose, max_pool, average_pool.
import { type Real, real } from "./reference.js";

/** Index of [b, t, c], or -1 outside the sequence. */
const at = ({ shape: [, T, C] }: Real, b: number, t: number, c: number) =>
  t < 0 || t >= T ? -1 : (b * T + t) * C + c;
/** The number there; 0 outside the sequence. */
const read = (x: Real, b: number, t: number, c: number) => x.data[at(x, b, t, c)] ?? 0;

/** [B, steps, F], number by number. */
export function sequence(
  [B, steps, F]: readonly number[],
  value: (b: number, t: number, f: number) => number,
): Real {
  return real([B, steps, F], (i) => value(Math.floor(i / (steps * F)), Math.floor(i / F) % steps, i % F));
}

export interface Window {
  stride?: number;
  dilation?: number;
  groups?: number;
  padding?: "valid" | "same" | "causal";
}

/** How many windows of `size` steps there are, and where the first begins: before the sequence by so many steps. */
export function windows(T: number, size: number, { stride = 1, padding = "valid" }: Window) {
  if (padding === "valid") return { steps: Math.floor((T - size) / stride) + 1, before: 0 };
  const steps = Math.ceil(T / stride);
  const missing = Math.max(0, (steps - 1) * stride + size - T);
  return { steps, before: padding === "causal" ? size - 1 : Math.floor(missing / 2) };
}

/** x [B, T, C], kernel [k, C / groups, F], bias [F] */
export function conv1D(x: Real, kernel: Real, bias?: Real, window: Window = {}): Real {
  const { stride = 1, dilation = 1, groups = 1 } = window;
  const [k, c, F] = kernel.shape;
  const { steps, before } = windows(x.shape[1], (k - 1) * dilation + 1, window);
  return sequence([x.shape[0], steps, F], (b, t, f) => {
    const group = Math.floor(f / (F / groups));
    let sum = bias?.data[f] ?? 0;
    for (let j = 0; j < k; j++) {
      const place = t * stride + j * dilation - before;
      for (let i = 0; i < c; i++) sum += read(x, b, place, group * c + i) * kernel.data[(j * c + i) * F + f];
    }
    return sum;
  });
}

/** x [B, T, C], kernel [k, C, m], bias [C·m] */
export function depthwiseConv1D(x: Real, kernel: Real, bias?: Real, window: Window = {}): Real {
  const [k, C, m] = kernel.shape;
  return conv1D(x, { shape: [k, 1, C * m], data: kernel.data }, bias, { ...window, groups: C });
}

/** x [B, T, C], kernel [k, F, C], bias [F]: every step of x times the kernel, added up; `full` steps, of which those from `from` on. */
export function conv1DTranspose(
  x: Real,
  kernel: Real,
  bias: Real | undefined,
  { stride = 1, dilation = 1 }: Window,
  { from, steps }: { from: number; steps: number },
): Real {
  const [k, F, C] = kernel.shape;
  return sequence([x.shape[0], steps, F], (b, t, f) => {
    let sum = bias?.data[f] ?? 0;
    for (let s = 0; s < x.shape[1]; s++) {
      const j = (t + from - s * stride) / dilation;
      if (!Number.isInteger(j) || j < 0 || j >= k) continue;
      for (let c = 0; c < C; c++) sum += read(x, b, s, c) * kernel.data[(j * F + f) * C + c];
    }
    return sum;
  });
}

export function pool(x: Real, size: number, mean: boolean, window: Window): Real {
  const { stride = 1 } = window;
  const [B, T, C] = x.shape;
  const { steps, before } = windows(T, size, window);
  return sequence([B, steps, C], (b, t, c) => {
    const places = Array.from({ length: size }, (_, i) => t * stride - before + i);
    const seen = places.filter((place) => place >= 0 && place < T).map((place) => read(x, b, place, c));
    return mean ? seen.reduce((sum, v) => sum + v, 0) / seen.length : Math.max(...seen);
  });
}

/** Zeros around the sequence; with negative numbers, less of it. */
export function pad(x: Real, before: number, after: number): Real {
  const [B, T, C] = x.shape;
  return sequence([B, before + T + after, C], (b, t, c) => read(x, b, t - before, c));
}
