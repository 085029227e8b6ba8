// Numbers of initializers that lie in a file beside the model, as torch.onnx.export leaves them by default.
// onnx/docs/ExternalData.md
import { show } from "../../errors.js";
import type { Complain } from "../complain.js";
import { countOf } from "../complain.js";
import { BYTES } from "./arrays.js";
import type { GraphProto, TensorProto } from "./proto.js";

/** Takes such numbers into the graph. Each file is asked for once, by its path relative to the model. */
export async function takeIn(
  { initializer }: GraphProto,
  beside: (path: string) => Promise<Uint8Array>,
  complain: Complain,
): Promise<void> {
  const files = new Map<string, Uint8Array>();
  for (const [k, tensor] of initializer.entries()) {
    if (tensor.dataLocation !== 1) continue;
    const place = `initializer '${tensor.name || k}'`;
    const { location, offset, length } = placeOf(tensor, place, complain);
    const file = files.get(location) ?? (await beside(location));
    files.set(location, file);
    if (offset + length > file.length) {
      const got = `${length} from byte ${offset} of ${file.length}`;
      complain(`${place}: external data`, `bytes of '${location}'`, got);
    }
    tensor.rawData = file.subarray(offset, offset + length);
    tensor.dataLocation = 0;
    tensor.externalData = [];
  }
}

/** Where numbers lie. A path leads down from the model's folder. */
function placeOf({ externalData, dims, dataType }: TensorProto, place: string, complain: Complain) {
  const told = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
  const { location = "", offset = "0" } = told;
  const isBelow = location !== "" && !/^[\\/]|[:\\]|(^|\/)\.\.(\/|$)/.test(location);
  if (!isBelow) complain(`${place}: external data`, "a file beside the model or below it", show(location));
  const { length = `${countOf(dims) * (BYTES[dataType] ?? 0)}` } = told;
  const [from, bytes] = [offset, length].map(Number);
  if (![from, bytes].every((each) => Number.isSafeInteger(each) && each >= 0))
    complain(`${place}: external data`, "an offset and a length in bytes", `${offset}, ${length}`);
  return { location, offset: from, length: bytes };
}
