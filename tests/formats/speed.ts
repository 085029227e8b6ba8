// How fast weights are read: MB/s of ONNX and safetensors files, from bytes to a model that could predict, by the time of the processor. By hand:
//   node build/tests/formats/speed.js
import { input, layers, loadModel, model, tensor, torch } from "../../src/index.js";

const x = input({ shape: [null], dtype: "int32" });
const embedded = layers.embedding({ inputDim: 20000, outputDim: 512 }).apply(x);
const zeros = { kernelInitializer: "zeros", recurrentInitializer: "zeros" };
const last = layers.lstm({ units: 1024, ...zeros }).apply(embedded);
const made = model({
  inputs: x,
  outputs: layers.dense({ units: 4096, kernelInitializer: "zeros" }).apply(last),
});
made.setWeights(
  made.getWeights().map(({ shape, size }) =>
    tensor(
      Float32Array.from({ length: size }, (_, k) => (k % 1000) / 1000 - 0.5),
      shape,
    ),
  ),
);

for (const format of ["onnx", "safetensors"] as const) {
  const bytes = await made.toBytes(format);
  const rates = [];
  for (let k = 0; k < 5; k++) {
    const begin = process.cpuUsage();
    await loadModel(bytes, { format });
    const { user, system } = process.cpuUsage(begin);
    rates.push(bytes.length / (user + system));
  }
  console.log(
    `${format}: ${(bytes.length / 1e6).toFixed(0)} MB, ${rates.map((rate) => rate.toFixed(0)).join(", ")} MB/s`,
  );
  if (format !== "safetensors") continue;
  const begin = process.cpuUsage();
  await torch.readSafetensors(bytes);
  const { user, system } = process.cpuUsage(begin);
  console.log(`safetensors, tensors only: ${(bytes.length / (user + system)).toFixed(0)} MB/s`);
}
