// Outputs over the batches of a feed, and how any pass over one is walked. Not here: training and its callbacks (fit.ts).
import { UnreelError } from "../errors.js";
import type { Executor } from "../graph/executor.js";
import { showShape } from "../layers/symbolic.js";
import { Tensor } from "../tensor.js";
import { type Feed, noBatch, type Turn } from "./feed.js";
import { Steps } from "./step.js";

/** Milliseconds after which a loop lets the page, or the server, breathe. */
const PATIENCE = 40;

/** Gives the event loop a turn when the last one is long ago. */
export function breather(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < PATIENCE) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}

/** Outputs over a pass, or over its first `limit` batches, which must then have one shape. */
export async function predict(executor: Executor, feed: Feed, limit: number | undefined): Promise<Tensor[]> {
  let steps: Steps | undefined;
  const parts: Tensor[][] = executor.graph.outputs.map(() => []);
  await eachTurn("predict", feed, limit, async (turn, batch) => {
    await executor.engine.inTurn(async () => {
      steps ??= new Steps(executor, "predict", feed.data);
      turn.fill(steps);
      await steps.run("predict");
      parts.forEach((list, output) => {
        const shape = steps!.outputShape(output, turn.samples);
        const wanted = list[0]?.shape.slice(1) ?? [];
        if (list.length > 0 && shape.slice(1).some((d, axis) => d !== wanted[axis])) {
          throw new UnreelError({
            operation: `predict (batch ${batch + 1})`,
            expected: `outputs of shape ${showShape([null, ...wanted])}, as in the first batch`,
            got: showShape(shape),
            hint: "Batches of different lengths: pad them to one (paddedShapes), or predict each on its own.",
          });
        }
        const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
        steps!.readOutput(output, values, 0);
        list.push(new Tensor(values, shape));
      });
    });
  });
  return parts.map(joined);
}

/** Tensors one behind the other, along their first axis. */
function joined(list: readonly Tensor[]): Tensor {
  if (list.length === 1) return list[0];
  const values = new Float32Array(list.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const { data } of list) {
    values.set(data, at);
    at += data.length;
  }
  const samples = list.reduce((sum, { shape }) => sum + shape[0], 0);
  return new Tensor(values, [samples, ...list[0].shape.slice(1)]);
}

/** Calls `work` with each batch of a pass, `limit` at most. */
export async function eachTurn(
  operation: string,
  feed: Feed,
  limit: number | undefined,
  work: (turn: Turn, batch: number) => Promise<void>,
): Promise<void> {
  const pass = feed.begin();
  const breathe = breather();
  try {
    let batch = 0;
    for (; batch !== limit; batch++) {
      if (batch > 0) await breathe();
      const turn = await pass.next();
      if (!turn) break;
      await work(turn, batch);
    }
    if (batch === 0) throw noBatch(operation, "none");
  } finally {
    await pass.close();
  }
}
