// What kinds of files begin with.
import type { FormatName } from "./description.js";

export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

export function isHdf5(bytes: Uint8Array): boolean {
  const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
  return signature.every((byte, k) => bytes[k] === byte);
}

/** The format that bytes begin as, whatever the file is called. */
export function formatOfBytes(bytes: Uint8Array): FormatName | undefined {
  if (isZip(bytes)) return "keras";
  if (isHdf5(bytes)) return "h5";
  // A header's length in eight bytes, then JSON.
  if (bytes[8] === 0x7b && bytes.length > 9 && bytes[6] === 0 && bytes[7] === 0) return "safetensors";
  // An ONNX model begins with its version; then its producer, its opsets or its graph.
  if (bytes[0] === 8 && bytes[1] < 64 && [0x12, 0x1a, 0x3a, 0x42].includes(bytes[2])) return "onnx";
  if (/^\s*\{/.test(new TextDecoder().decode(bytes.subarray(0, 64)))) return "tfjs";
  return undefined;
}
