// Safetensors files, written. Not here: reading them (file.ts).
import type { Tensor } from "../../tensor.js";
import { bytesOf } from "../numbers.js";

/** The bytes of a file of these tensors: F32 and I32, each at a multiple of 8 bytes from the data's begin where it can be. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const begin = end;
    end += data.byteLength;
    header[name] = { dtype: dtype === "int32" ? "I32" : "F32", shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Spaces behind the header, so that numbers lie aligned.
  const padded = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + padded + end).fill(0x20, 8 + text.length, 8 + padded);
  new DataView(out.buffer).setUint32(0, padded, true);
  out.set(text, 8);
  let at = 8 + padded;
  for (const { data } of tensors.values()) {
    out.set(bytesOf(data), at);
    at += data.byteLength;
  }
  return out;
}
