// Unreel as a process of its own, asked by frameworks.js like the frameworks in Python.
import { readFileSync } from "node:fs";
import { answer } from "../lines.js";
import { inference, start, training as trainingStep } from "./unreel.js";

let job;

await answer(async ({ version, open, turn }) => {
  if (version) return { version: await start(version) };
  if (open) {
    const { shape, training, arrays, file } = open;
    const bytes = readFileSync(file);
    let offset = 0;
    const weights = Object.fromEntries(
      Object.entries(arrays).map(([name, size]) => {
        const length = size.reduce((a, b) => a * b);
        const data = new Float32Array(bytes.buffer, bytes.byteOffset + offset, length).slice();
        offset += 4 * length;
        return [name, { shape: size, data }];
      }),
    );
    const { kernel, recurrent, bias, dense, denseBias, x, y } = weights;
    const work = {
      recurrent: [kernel, recurrent, bias],
      dense: [dense, denseBias],
      embedding: [],
      x: x.data,
      y: y.data,
    };
    job?.end();
    job = await (training ? trainingStep : inference)(shape, work);
    return { check: [...(await job.check())] };
  }
  const from = performance.now();
  for (let call = 0; call < turn; call++) await job.run();
  return { ms: performance.now() - from };
});
