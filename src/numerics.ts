// Logarithms, powers and cosines on the host, from + - * / and bits alone: `Math.log` and its like differ between engines in
// their last digit, and what reaches a number must not. Good to about 1e-15, relative; a power to that times ln of its result.
// Not here: the kernels' functions on four f32 lanes (assembly/math.ts).

const bits = new DataView(new ArrayBuffer(8));

/** 1/23, 1/21, … 1. */
const ARTANH = Array.from({ length: 12 }, (_, i) => 1 / (23 - 2 * i));

/** Natural logarithm of a positive normal double (2·artanh series). */
export function logarithm(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1023;
  bits.setUint32(0, (high & 0x000fffff) | 0x3ff00000);
  let mantissa = bits.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let sum = 0;
  for (const term of ARTANH) sum = sum * z + term;
  return exponent * Math.LN2 + 2 * s * sum;
}

// ln 2 in two parts: the first has 33 bits, so that its products with exponents are exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/** eˣ: the exponent of 2 apart, the rest by Taylor's series in Horner's form. */
export function exponential(x: number): number {
  if (!(x > -745.2)) return Number.isNaN(x) ? x : 0;
  if (x > 709.79) return Number.POSITIVE_INFINITY;
  const exponent = Math.round(x / Math.LN2);
  const rest = x - exponent * LN2_HIGH - exponent * LN2_LOW;
  let sum = 1;
  for (let k = 14; k >= 1; k--) sum = 1 + (rest / k) * sum;
  // In two factors: 2^1024 and numbers below the normal ones are no factors.
  const half = Math.trunc(exponent / 2);
  return sum * powerOfTwo(half) * powerOfTwo(exponent - half);
}

/** 2ⁿ for n from -1022 to 1023. */
function powerOfTwo(n: number): number {
  bits.setUint32(0, (n + 1023) << 20);
  bits.setUint32(4, 0);
  return bits.getFloat64(0);
}

/** `base` ≥ 0 to any power: by multiplication alone for whole exponents, so that small ones are exact. */
export function power(base: number, exponent: number): number {
  if (Number.isSafeInteger(exponent)) {
    return exponent < 0 ? 1 / wholePower(base, -exponent) : wholePower(base, exponent);
  }
  if (base === 0) return exponent > 0 ? 0 : Number.POSITIVE_INFINITY;
  return exponential(exponent * logarithm(base));
}

function wholePower(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}

/** cos(πx): folded into an eighth of a turn, then Taylor's series. Exact at halves. */
export function cosinePi(x: number): number {
  const turn = Math.abs(x) % 2;
  const half = turn > 1 ? 2 - turn : turn;
  if (half > 0.5) return -quarter(1 - half);
  return quarter(half);
}

/** cos(πx) for x in [0, 1/2]. */
function quarter(x: number): number {
  const sine = x > 0.25;
  const angle = Math.PI * (sine ? 0.5 - x : x);
  const z = angle * angle;
  let sum = 1;
  for (let k = sine ? 19 : 18; k > 1; k -= 2) sum = 1 - (z / (k * (k - 1))) * sum;
  return sine ? angle * sum : sum;
}
