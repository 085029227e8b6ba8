// ONNX, https://onnx.ai: graphs of operators. Read into layers and `ops.*`, written from them.
import type { Format } from "../description.js";
import { readOnnx } from "./read.js";
import { writeOnnx } from "./write.js";

export const onnx: Format = {
  read: (bytes, { file }, beside) => readOnnx(bytes, file, beside),
  write: (model) => writeOnnx(model),
};
