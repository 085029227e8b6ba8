// Rows gathered and gradients scattered, with ids that repeat and ids that do not exist.

import { embeddingGather, embeddingScatterAdd } from "../../assembly/embedding";
import { Block, noiseBlock, reseed } from "./blocks";

const DIMS: i32[] = [1, 3, 4, 5, 17];
const V: i32 = 6;
// Repeated, first, last, and beyond both ends as far as an i32 goes.
const IDS: i32[] = [2, 0, 2, 5, 6, -1, 2147483647, -2147483648, 2];

function idBlock(): Block {
  const ids = new Block(IDS.length);
  for (let i = 0; i < IDS.length; ++i) ids.setInt(i, IDS[i]);
  return ids;
}

describe("embedding", () => {
  it("gathers rows; an id that does not exist is a row of zeros", () => {
    for (let d = 0; d < DIMS.length; ++d) {
      const D = DIMS[d];
      reseed(D);
      const table = noiseBlock(V * D);
      const out = new Block(IDS.length * D);
      embeddingGather(out.at, idBlock().at, table.at, IDS.length, D, V);
      for (let i = 0; i < IDS.length * D; ++i) {
        const id = IDS[i / D];
        const known = id >= 0 && id < V;
        expect<f32>(out.get(i)).toBe(known ? table.get(id * D + (i % D)) : 0, `dim ${D} element ${i}`);
      }
      expect<bool>(out.intact()).toBe(true);
    }
  });

  it("adds gradients where ids point, and nowhere else", () => {
    for (let d = 0; d < DIMS.length; ++d) {
      const D = DIMS[d];
      reseed(D);
      const dtable = noiseBlock(V * D);
      const dout = noiseBlock(IDS.length * D);
      const want = new StaticArray<f32>(V * D);
      for (let i = 0; i < V * D; ++i) want[i] = dtable.get(i);
      for (let i = 0; i < IDS.length * D; ++i) {
        const id = IDS[i / D];
        if (id >= 0 && id < V) want[id * D + (i % D)] += dout.get(i);
      }
      embeddingScatterAdd(dtable.at, dout.at, idBlock().at, IDS.length, D, V, 0, 0, 0, 1);
      for (let i = 0; i < V * D; ++i) expect<f32>(dtable.get(i)).toBe(want[i], `dim ${D} element ${i}`);
      expect<bool>(dtable.intact()).toBe(true);
    }
  });

  it("keeps the rows that ids touch side by side, whatever memory held before", () => {
    for (let d = 0; d < DIMS.length; ++d) {
      const D = DIMS[d];
      reseed(D);
      // With few ids for its rows, a table's touched rows stand as they come; with many, in the table's order.
      for (let size = V; size <= 64; size += 58) {
        const order: i32[] = size == V ? [0, 2, 5] : [2, 0, 5, 6];
        const dtable = new Block(size * D);
        const rows = new Block(size);
        const places = new Block(size);
        const touched = new Block(1);
        for (let left = 0; left < 3; ++left) {
          // Numbers that look like places of rows that are there, and such that do not.
          for (let v = 0; v < size; ++v) {
            rows.setInt(v, left == 0 ? v : left == 1 ? 0 : -1);
            places.setInt(v, left == 0 ? v : left == 1 ? 0 : i32.MAX_VALUE);
          }
          touched.setInt(0, size);
          const dout = noiseBlock(IDS.length * D);
          const want = new StaticArray<f32>(size * D);
          for (let half = 0; half < 2; ++half) {
            for (let i = 0; i < IDS.length * D; ++i) {
              const id = IDS[i / D];
              if (id >= 0 && id < size) want[id * D + (i % D)] += dout.get(i);
            }
            embeddingScatterAdd(
              dtable.at, dout.at, idBlock().at, IDS.length, D, size, rows.at, places.at, touched.at, half,
            );
          }
          expect<i32>(touched.getInt(0)).toBe(order.length);
          for (let r = 0; r < order.length; ++r) {
            expect<i32>(rows.getInt(r)).toBe(order[r]);
            for (let k = 0; k < D; ++k) {
              expect<f32>(dtable.get(r * D + k)).toBe(want[order[r] * D + k], `dim ${D} row ${r} of ${size}`);
            }
          }
        }
        expect<bool>(dtable.intact() && rows.intact() && places.intact() && touched.intact()).toBe(true);
      }
    }
  });
});
