// Measures the largest error of assembly/math.ts, in units of the last place, against float64.
//   node scripts/measure-ulp.js [stride]      every stride-th float of all 2^32 (default 61: 70 million a function)
// Each build is compiled in memory from a generated loop; the relaxed build is measured where the engine can run it
// (Node 20: node --experimental-wasm-relaxed-simd scripts/measure-ulp.js). Not part of the tests: it takes minutes.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import asc from "assemblyscript/asc";

const root = new URL("..", import.meta.url).pathname;
const stride = Number(process.argv[2] ?? 61);
const COUNT = 4096;

/** erf in float64: Taylor series for |x| < 2.5, continued fraction of erfc beyond; both to about 1e-15. */
function erf(x) {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  if (a < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 1; Math.abs(term) > 1e-18 * Math.abs(sum); k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 120; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

const exact = {
  exp4: Math.exp,
  expm1Negative4: (x) => (x > 0 ? undefined : Math.expm1(x)),
  sigmoid4: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  tanh4: Math.tanh,
  log4: Math.log,
  softplus4: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  log1pExpMinusAbs4: (x) => Math.log1p(Math.exp(-Math.abs(x))),
  erf4: erf,
};

async function compile(features) {
  const names = Object.keys(exact);
  const source = `import { ${names.join(", ")} } from "./assembly/math";
    ${names
      .map(
        (name) => `export function ${name}_(out: usize, x: usize, n: i32): void {
          for (let i: usize = 0; i < <usize>n * 4; i += 16) v128.store(out + i, ${name}(v128.load(x + i)));
        }`,
      )
      .join("\n")}`;
  let binary;
  const flags = [
    "--runtime",
    "stub",
    "-O3",
    "--noAssert",
    "--initialMemory",
    "1",
    ...features.flatMap((f) => ["--enable", f]),
  ];
  const { error, stderr } = await asc.main(["harness.ts", ...flags, "-o", "out.wasm"], {
    readFile: (name) => {
      if (name === "harness.ts") return source;
      if (name === "asconfig.json") return null;
      try {
        return readFileSync(resolve(root, name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (_, contents) => {
      binary = contents;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(String(stderr));
  return binary;
}

const word = new DataView(new ArrayBuffer(4));
function show(x) {
  word.setFloat32(0, x);
  return `${x.toPrecision(9)} (0x${word.getUint32(0).toString(16).padStart(8, "0")})`;
}

const LARGEST = 2 ** 127 * (2 - 2 ** -24);
const bitsOfDouble = new DataView(new ArrayBuffer(8));
function errorInUlp(got, want) {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : Infinity;
  if (Math.abs(want) >= LARGEST) return got === Math.sign(want) * Infinity ? 0 : Infinity;
  bitsOfDouble.setFloat64(0, want);
  const exponent = Math.max(((bitsOfDouble.getUint32(0) >>> 20) & 0x7ff) - 1023, -126);
  const error = Math.abs(got - want) / 2 ** (exponent - 23);
  return Number.isNaN(error) ? Infinity : error;
}

function measure(name, kernel, memory) {
  const want = exact[name];
  const bits = new Uint32Array(memory.buffer, 16384, COUNT);
  const x = new Float32Array(memory.buffer, 16384, COUNT);
  const out = new Float32Array(memory.buffer, 32768, COUNT);
  let worst = 0;
  let where = 0;
  let largest = 0;
  for (let start = 0; start < 2 ** 32; start += stride * COUNT) {
    for (let i = 0; i < COUNT; i++) bits[i] = start + i * stride + ((i * 7919) % stride);
    kernel(32768, 16384, COUNT);
    for (let i = 0; i < COUNT; i++) {
      const value = want(x[i]);
      if (value === undefined) continue;
      const error = errorInUlp(out[i], value);
      if (error > worst) {
        worst = error;
        where = x[i];
      }
      if (Math.abs(out[i]) > largest) largest = Math.abs(out[i]);
    }
  }
  console.log(
    `  ${name.padEnd(18)}${worst.toFixed(2).padStart(7)} ulp at ${show(where)}   largest ${largest}`,
  );
}

for (const features of [["simd"], ["simd", "relaxed-simd"]]) {
  const binary = await compile(features);
  console.log(features.at(-1));
  if (!WebAssembly.validate(binary)) {
    console.log("  this engine cannot run it");
    continue;
  }
  const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(binary));
  for (const name of Object.keys(exact)) measure(name, exports[`${name}_`], exports.memory);
}
