// tests/portable.ts as a program of Node, Deno and Bun: [--build simd] [--filter NAME].
import { run } from "./portable.js";

const after = (name: string) => process.argv[process.argv.indexOf(name) + 1 || process.argv.length];
await run({ build: after("--build"), filter: after("--filter") });
