// SipHash-2-4 of bytes under a key: what Keras' `salt` asks for.
// Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).

const wrap = (x: bigint) => BigInt.asUintN(64, x);
const rotate = (x: bigint, by: bigint) => wrap((x << by) | (x >> (64n - by)));

export function sipHash64(bytes: Uint8Array, key: readonly [bigint, bigint]): bigint {
  let a = key[0] ^ 0x736f6d6570736575n;
  let b = key[1] ^ 0x646f72616e646f6dn;
  let c = key[0] ^ 0x6c7967656e657261n;
  let d = key[1] ^ 0x7465646279746573n;
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      a = wrap(a + b);
      c = wrap(c + d);
      b = rotate(b, 13n) ^ a;
      d = rotate(d, 16n) ^ c;
      a = wrap(rotate(a, 32n) + d);
      c = wrap(c + b);
      d = rotate(d, 21n) ^ a;
      b = rotate(b, 17n) ^ c;
      c = rotate(c, 32n);
    }
  };
  // The last word ends in the length.
  const padded = new Uint8Array(Math.floor(bytes.length / 8) * 8 + 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true);
    d ^= word;
    rounds(2);
    a ^= word;
  }
  c ^= 0xffn;
  rounds(4);
  return a ^ b ^ c ^ d;
}
