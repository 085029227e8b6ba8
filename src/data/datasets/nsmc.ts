// Korean film reviews with their sentiment.
import { readOptions } from "../../layers/options.js";
import { NSMC } from "./about.js";
import { FILE_OPTIONS, type FileOptions, loadText } from "./file.js";
import { labelOf, tableOf } from "./table.js";

export interface Reviews {
  readonly texts: string[];
  /** 1 positive, 0 negative. */
  readonly labels: Int32Array;
}

/** One entry a part; parts that are named are loaded. */
type Parts<V> = Partial<Record<"train" | "validation" | "test", V>>;

export interface NsmcOptions extends Omit<FileOptions, "path" | "url" | "sha256"> {
  /** Files of one's own, by part. */
  path?: Parts<NonNullable<FileOptions["path"]>>;
  /** In the place of the published addresses, by part. */
  url?: Parts<string | URL>;
  sha256?: Parts<string>;
}

export async function load(
  options: NsmcOptions,
): Promise<{ train: Reviews; validation: Reviews; test: Reviews }> {
  const operation = "datasets.nsmc.load";
  const { path, url, sha256, ...rest } = readOptions(operation, options, {
    ...FILE_OPTIONS,
    path: {} as NonNullable<NsmcOptions["path"]>,
    url: {} as NonNullable<NsmcOptions["url"]>,
    sha256: {} as Parts<string>,
  });
  const own = { ...path, ...url };
  const isPublished = Object.keys(own).length === 0;
  const part = async (name: "train" | "validation" | "test"): Promise<Reviews> => {
    const isWanted = isPublished ? name !== "validation" : own[name] !== undefined;
    if (!isWanted) return { texts: [], labels: new Int32Array(0) };
    const known = { name: `ratings_${name}.txt`, url: `${NSMC}ratings_${name}.txt` };
    const where = { ...rest, path: path[name], url: url[name], sha256: sha256[name] };
    const text = await loadText(operation, known, where);
    const texts: string[] = [];
    const labels: number[] = [];
    const columns = [
      { text: "document", label: "label" },
      { text: "text", label: "label" },
    ];
    for await (const record of tableOf(operation, known.name, text, "\t", columns)) {
      labels.push(labelOf(operation, known.name, record.label, texts.length, 2));
      texts.push(record.text);
    }
    return { texts, labels: Int32Array.from(labels) };
  };
  return { train: await part("train"), validation: await part("validation"), test: await part("test") };
}
