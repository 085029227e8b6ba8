// One text to learn the next character from.
import { readOptions } from "../../layers/options.js";
import { type About, FILE_OPTIONS, type FileOptions, loadText } from "./file.js";

const FILE = {
  name: "tinyshakespeare.txt",
  url: "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
  sha256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
};

/** 1,115,394 characters of Shakespeare's plays, 65 different ones. */
export const tinyShakespeare = {
  about: {
    description: "1.1 million characters of Shakespeare's plays",
    source: "Andrej Karpathy, https://github.com/karpathy/char-rnn",
    licence: "the text is in the public domain, the repository under MIT",
    urls: [FILE.url],
  } satisfies About,

  /** The text; its first nine tenths are usually trained on, the rest validates. */
  async load(options: FileOptions = {}): Promise<{ text: string; train: string; validation: string }> {
    const operation = "datasets.tinyShakespeare.load";
    const text = await loadText(operation, FILE, readOptions(operation, options, FILE_OPTIONS));
    const end = Math.floor(text.length * 0.9);
    return { text, train: text.slice(0, end), validation: text.slice(end) };
  },
};
