// ONNX, https://onnx.ai: graphs of operators. Read into layers and `ops.*`, written from them.
import type { Format } from "../description.js";
import { readOnnx } from "./read.js";
import { writeOnnx } from "./write.js";

export const onnx: Format = {
  read: (bytes, { file }) => readOnnx(bytes, file),
  write: (model) => writeOnnx(model),
};
