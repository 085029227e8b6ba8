// Files that are no models of a kind that is read here: what they are, by their first bytes or their names, and what to do about it.
// Not here: the kinds that are (index.ts).
import { zipNames } from "../zip.js";
import { formatOfName } from "./index.js";
import { formatOfBytes, isZip } from "./signatures.js";

export interface Foreign {
  /** As an error says what it got. */
  readonly what: string;
  readonly hint: string;
}

const PYTORCH =
  "In Python, torch.onnx.export(module, sample, 'model.onnx') makes a file that loadModel reads; safetensors.torch.save_file(module.state_dict(), 'model.safetensors') one that torch.loadStateDict puts into a model built here.";
const SAVED_MODEL =
  "In Python, where the Keras model is there: model.save('model.keras'); else python -m tf2onnx.convert --saved-model FOLDER --output model.onnx.";
const TFLITE =
  "In Python, where the Keras model is there: model.save('model.keras'); else python -m tf2onnx.convert --tflite model.tflite --output model.onnx. Quantized numbers are not read.";
const CHECKPOINT =
  "It holds numbers alone. In Python: build the Keras model, model.load_weights(…), then model.save('model.keras').";
const PAGE =
  "A server that does not find a file may send a page in its place: look at the address in a browser, and put the model among the files that are served as they are (public/ with Vite and Next.js).";
const AGAIN = "What wrote or sent it broke off: write or fetch it again.";

/** What a file is if it is no model that can be read, as far as that can be seen. */
export function foreignFile(bytes: Uint8Array, name: string): Foreign | undefined {
  if (bytes.length === 0) return { what: "an empty file", hint: AGAIN };
  const format = formatOfBytes(bytes);
  if (isZip(bytes)) return foreignArchive(bytes);
  if (format === "onnx") {
    return isSavedModel(bytes) ? { what: "TensorFlow's SavedModel", hint: SAVED_MODEL } : undefined;
  }
  if (format !== undefined) return undefined;
  return placeholder(bytes) ?? byFirstBytes(bytes, name) ?? byName(name);
}

/** What came in the place of a file, of whatever kind that is. */
export function placeholder(bytes: Uint8Array): Foreign | undefined {
  const text = beginning(bytes);
  if (/^<(!doctype|html|head|body|script|\?xml|!--|error)/i.test(text)) {
    return { what: `a page of ${/^<(\?xml|error)/i.test(text) ? "XML" : "HTML"}`, hint: PAGE };
  }
  if (text.startsWith("version https://git-lfs.")) {
    return { what: "a pointer of Git LFS in the place of the file", hint: "git lfs pull fetches the file." };
  }
  return undefined;
}

/** Of a text, without what may stand before it. */
function beginning(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 256)).replace(/^(\u00ef\u00bb\u00bf|\s)+/, "");
}

function byFirstBytes(bytes: Uint8Array, name: string): Foreign | undefined {
  const begins = (...values: number[]) => values.every((value, at) => bytes[at] === value);
  const text = beginning(bytes);
  if (begins(0x1f, 0x8b))
    return { what: "a gzipped file", hint: "Unpack it first: gunzip, or tar -xzf for .tar.gz." };
  if ([0x54, 0x46, 0x4c, 0x33].every((value, at) => bytes[4 + at] === value))
    return { what: "a model of TensorFlow Lite", hint: TFLITE };
  if (begins(0x93) && text.slice(1, 6) === "NUMPY") {
    return { what: "an array of NumPy", hint: "data.readNpy reads it; model.setWeights takes arrays." };
  }
  if (text.startsWith("GGUF")) {
    return { what: "a GGUF file", hint: "It is for llama.cpp: transformers are not among the layers here." };
  }
  // PROTO and the version; PyTorch of old begins with a number of its own.
  if (begins(0x80) && bytes[1] >= 2 && bytes[1] <= 5) {
    const isTorch = begins(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46) || /\.(pt|pth|bin)$/i.test(name);
    if (isTorch) return { what: "a file of PyTorch (a pickle)", hint: PYTORCH };
    const hint =
      "A pickle may run any program when it is read, and is not read here. In Python, save the model in it as .keras, ONNX or safetensors.";
    return { what: "a pickle of Python", hint };
  }
  return undefined;
}

/** Where the bytes tell nothing. */
function byName(name: string): Foreign | undefined {
  if (formatOfName(name) !== undefined) return undefined;
  const path = name.replace(/[?#].*$/, "");
  if (/\.pb$/i.test(path)) return { what: "a graph of TensorFlow", hint: SAVED_MODEL };
  if (/\.tflite$/i.test(path)) return { what: "a model of TensorFlow Lite, by its name", hint: TFLITE };
  if (/\.(pt|pth)$/i.test(path)) return { what: "a file of PyTorch, by its name", hint: PYTORCH };
  const isCheckpoint = /(\.index|\.data-\d+-of-\d+|\.ckpt|[\\/]checkpoint)$/i.test(path);
  if (isCheckpoint) return { what: "a checkpoint of TensorFlow, by its name", hint: CHECKPOINT };
  if (/\.bin$/i.test(path)) {
    return { what: "other bytes", hint: "If it is a shard of TensorFlow.js, give the model.json beside it." };
  }
  return undefined;
}

/** Zip archives other than `.keras`. */
function foreignArchive(bytes: Uint8Array): Foreign | undefined {
  const names = zipNames(bytes);
  if (!names) return { what: "the beginning of a zip archive, without its end", hint: AGAIN };
  // Perhaps one of Keras, and not whole: who reads it says what is missing.
  if (names.some((each) => /^(config\.json|metadata\.json|model\.weights\.h5)$/.test(each))) return undefined;
  const has = (pattern: RegExp) => names.some((each) => pattern.test(each));
  if (has(/(^|\/)data\.pkl$/))
    return { what: "a file of PyTorch (a pickle in a zip archive)", hint: PYTORCH };
  if (has(/(^|\/)saved_model\.pb$/)) {
    return { what: "an archive with TensorFlow's SavedModel", hint: `Unpack it. ${SAVED_MODEL}` };
  }
  if (names.length > 0 && names.every((each) => each.endsWith(".npy"))) {
    return { what: "an .npz of NumPy", hint: "data.readNpz reads it; model.setWeights takes arrays." };
  }
  if (has(/^state\.json$/) && has(/^numbers\.bin$/)) {
    const hint = "callbacks.backupAndRestore({ backupDir }) goes on with it, in the fit of the same model.";
    return { what: "the backup of a training", hint };
  }
  const inside = names.find((each) => /\.(keras|h5|onnx|safetensors)$|(^|\/)model\.json$/.test(each));
  if (inside === undefined) return undefined;
  return { what: `an archive with '${inside}'`, hint: "Unpack it, and give the path of that file." };
}

/** A SavedModel begins with its version, 1, and its first graph, which begins with what is known of it. ONNX has the name of a program in
 * that place. */
function isSavedModel(bytes: Uint8Array): boolean {
  if (bytes[0] !== 8 || bytes[1] !== 1 || bytes[2] !== 0x12) return false;
  let at = 3;
  while (bytes[at] >= 0x80) at++;
  return bytes[at + 1] === 0x0a;
}

/** What a folder is from which a model was to be read. */
export function foreignFolder(path: string, names: readonly string[]): Foreign {
  if (names.includes("saved_model.pb")) {
    return { what: "a folder with TensorFlow's SavedModel", hint: SAVED_MODEL.replace("FOLDER", path) };
  }
  const model =
    names.find((each) => each === "model.json") ??
    names.find((each) => formatOfName(each) !== undefined && !/^(config|metadata|package)/.test(each));
  const shown = names.length > 0 ? names.slice(0, 6).join(", ") : "nothing in it";
  return {
    what: `a folder with ${names.length > 6 ? `${shown} and others` : shown}`,
    hint: model
      ? `Name the file: '${path.replace(/[\\/]$/, "")}/${model}'.`
      : "Name a file: .keras, .h5, model.json, .onnx or .safetensors.",
  };
}
