// Rows of a table by id: ids [B, …] int32, table [V, D], out [B, …, D]. Ids are checked by the host before a run.
import { columns, count, type Op } from "./op.js";

export const embedding: Op<object> = {
  name: "embedding",

  outputs([ids, table]) {
    return [{ shape: [...ids!.shape, columns(table!)], timeMajor: ids!.timeMajor }];
  },

  forward(e, { inputs: [ids, table], outputs: [out] }) {
    e.call("embeddingGather", out, ids!, table!, count(ids!), columns(table!), table!.shape[0] as number);
  },

  backward(e, { inputs: [ids, table], outputs: [out] }) {
    const dout = e.gradientOf(out)!;
    const sizes = [count(ids!), columns(table!), table!.shape[0] as number];
    const touched = e.touchedRows(table!);
    if (touched) {
      const { rows, places, count: number } = touched;
      const { pointer, accumulate } = e.accumulator(table!);
      e.call("embeddingScatterAdd", pointer, dout, ids!, ...sizes, rows, places, number, accumulate);
    } else {
      e.call("embeddingScatterAdd", e.gradient(table!), dout, ids!, ...sizes, 0, 0, 0, 1);
    }
  },
};
