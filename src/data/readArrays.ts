// What `data.readNpy` and `data.readNpz` do: arrays of numbers from files of anywhere. Not here: the bytes of an array (npz.ts).
import { positiveInteger, show, UnreelError } from "../errors.js";
import { readOptions } from "../layers/options.js";
import { Tensor } from "../tensor.js";
import { readZip } from "../zip.js";
import { MOST_ARRAY_BYTES, readNpy as readArray } from "./npz.js";
import { readBytes, type Source } from "./source.js";

const nameOf = (source: unknown) =>
  source instanceof Uint8Array
    ? "bytes"
    : source instanceof Response
      ? source.url || "response"
      : typeof source === "string" || source instanceof URL
        ? String(source)
        : show(source);

function asTensor(operation: string, file: string, read: unknown): Tensor {
  if (read instanceof Tensor) return read;
  throw new UnreelError({ operation, expected: `${file}: an array of numbers`, got: "one of lists" });
}

export async function readNpy(source: Source): Promise<Tensor> {
  const operation = "data.readNpy";
  const file = nameOf(source);
  return asTensor(operation, file, readArray(operation, file, await readBytes(operation, source)));
}

export async function readNpz(
  source: Source,
  options: { maxBytes?: number },
): Promise<Record<string, Tensor>> {
  const operation = "data.readNpz";
  const { maxBytes } = readOptions(operation, options, { maxBytes: MOST_ARRAY_BYTES });
  positiveInteger(`${operation}: maxBytes`, maxBytes);
  const file = nameOf(source);
  const hint = "A file that is known to hold so much is read with the option maxBytes.";
  const members = await readZip(
    `${operation}: ${file}`,
    await readBytes(operation, source),
    (name) => name.endsWith(".npy"),
    { bytes: maxBytes, hint },
  );
  const entries = [...members].map(([name, bytes]) => {
    const place = `${file}, ${name}`;
    return [
      name.replace(/\.npy$/, ""),
      asTensor(operation, place, readArray(operation, place, bytes)),
    ] as const;
  });
  return Object.fromEntries(entries);
}
