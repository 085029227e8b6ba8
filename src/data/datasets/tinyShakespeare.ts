// One text to learn the next character from.
import { readOptions } from "../../layers/options.js";
import { tinyShakespeare as about } from "./about.js";
import { FILE_OPTIONS, type FileOptions, loadText } from "./file.js";

const FILE = {
  name: "tinyshakespeare.txt",
  url: about.urls[0],
  sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
};

export async function load(
  options: FileOptions,
): Promise<{ text: string; train: string; validation: string }> {
  const operation = "datasets.tinyShakespeare.load";
  const text = await loadText(operation, FILE, readOptions(operation, options, FILE_OPTIONS));
  const end = Math.floor(text.length * 0.9);
  return { text, train: text.slice(0, end), validation: text.slice(end) };
}
