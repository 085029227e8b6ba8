// Runs the tests with every batch in parts, however small: npm run test:threads. Loaded before the tests. Not a test itself.
// What golden files say of one batch must come out of its parts, to the same tolerance.
import { worthwhile } from "../src/graph/parts.js";
import { configure } from "../src/wasm/engine.js";

worthwhile.flops = Number.MIN_VALUE;
configure({ threads: Number(process.env.UNREEL_THREADS ?? 2) });
