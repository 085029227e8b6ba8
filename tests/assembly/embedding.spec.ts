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
      embeddingScatterAdd(dtable.at, dout.at, idBlock().at, IDS.length, D, V);
      for (let i = 0; i < V * D; ++i) expect<f32>(dtable.get(i)).toBe(want[i], `dim ${D} element ${i}`);
      expect<bool>(dtable.intact()).toBe(true);
    }
  });
});
