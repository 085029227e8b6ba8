// HDF5 datasets in chunks, as h5py makes them (make_hdf5.py, hdf5.zip): the same numbers here, by every index of chunks and through every
// filter that is read, in three forms of the format; what is damaged or missing is told.
import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readHdf5 } from "../../src/formats/hdf5.js";
import { loadModel, type Model, tensor, UnreelError } from "../../src/index.js";
import { root } from "../support.js";

const folder = new URL("tests/formats/", root);
const entries = unzipSync(readFileSync(new URL("hdf5.zip", folder)));
const keras = unzipSync(readFileSync(new URL("keras.zip", folder)));
type Numbers = Record<string, { shape: number[]; numbers: number[] }>;

async function refusal(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
  } catch (error) {
    assert.instance(error, UnreelError);
    return (error as Error).message;
  }
  return "nothing was refused";
}

for (const form of ["older", "v110", "newest"]) {
  const bytes = entries[`${form}/numbers.h5`];
  const wanted = JSON.parse(new TextDecoder().decode(entries[`${form}/numbers.json`])) as Numbers;
  const floats = (name: string, from = bytes) =>
    readHdf5("test", from, (file) => file.floats(name, wanted[name].shape));

  test(`the numbers of chunks, ${form}`, async () => {
    const names = Object.keys(wanted);
    assert.ok(names.length >= 50, `${names.length}`);
    for (const name of names) assert.equal([...(await floats(name))], wanted[name].numbers, name);
  });

  test(`a model whose file was repacked, ${form}`, async () => {
    const packed = entries[`${form}/with_adam.h5`];
    const [plain, again] = await Promise.all([loadModel(keras["with_adam.h5"]), loadModel(packed)]);
    assert.equal(again.getWeights(), plain.getWeights());
    // The optimizer's state too.
    const slots = (model: Model) => [...model.describe("test").training!.slots!.values()];
    assert.ok(slots(plain).flat().length > 4);
    assert.equal(slots(again), slots(plain));
    again.setWeights(
      again.getWeights().map(({ data, shape }) =>
        tensor(
          data.map(() => 1),
          shape,
        ),
      ),
    );
    await again.loadWeights(packed);
    assert.equal(again.getWeights(), plain.getWeights());
  });

  test(`what is missing, damaged or not read, ${form}`, async () => {
    const read = (name: string, shape: number[]) =>
      refusal(() => readHdf5("test", bytes, (file) => file.floats(name, shape)));
    assert.match(await read("holes", [9, 9]), /^test: holes: expected .* all written, got 1 of 9 chunks$/);
    assert.match(await read("lzf", [7, 10]), /got the filter lzf\. h5repack -f GZIP=6/);
    assert.match(await read("doubles", [7, 9]), /expected shape \(7, 9\), got \(7, 10\)/);
    for (const name of ["fletcher32, one chunk", "gzip, one chunk"]) {
      // The only chunk, by its numbers or by what zlib makes of them first.
      const first = new Uint8Array(Float32Array.of(wanted[name].numbers[0]).buffer);
      const isPacked = name.startsWith("gzip");
      const messages: string[] = [];
      for (let at = 0; at + 4 < bytes.length; at++) {
        const begins = isPacked
          ? bytes[at] === 0x78 && bytes[at + 1] === 0x5e
          : first.every((byte, k) => bytes[at + k] === byte);
        if (!begins) continue;
        const damaged = bytes.slice();
        damaged[at + 40] ^= 4;
        const message = await refusal(() => floats(name, damaged));
        if (message !== "nothing was refused") messages.push(message);
      }
      assert.ok(messages.length > 0, name);
      for (const message of messages)
        assert.match(message, /^test: (fletcher32|gzip), one chunk: expected .* got/);
      if (!isPacked) assert.match(messages.join(), /a wrong checksum of a chunk of 280 bytes/);
    }
  });
}

test.run();
