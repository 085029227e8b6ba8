// Archives: what is written is read, and a damaged byte is told or does no harm. Under which names models are saved.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { CRC32, CRC32C, crc32 } from "../src/crc32.js";
import { layers, sequential, UnreelError } from "../src/index.js";
import { readZip, writeZip } from "../src/zip.js";

const text = new TextEncoder().encode("123456789");

test("checksums are those of the standards", () => {
  assert.is(crc32(text, CRC32), 0xcbf43926);
  assert.is(crc32(text, CRC32C), 0xe3069283);
});

test("a flipped bit is an error, or changes nothing that is read", async () => {
  const bytes = await writeZip(
    new Map([
      ["a", text],
      ["b/c", Uint8Array.from({ length: 100 }, (_, i) => i)],
    ]),
  );
  const whole = await readZip("test", bytes, () => true);
  assert.equal(whole.get("a"), text);
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] ^= 0x40;
    try {
      for (const [name, entry] of await readZip("test", damaged, () => true)) {
        if (whole.has(name)) assert.equal(entry, whole.get(name), `byte ${at}`);
      }
    } catch (error) {
      assert.instance(error, UnreelError, `byte ${at}: ${error}`);
      refused++;
    }
  }
  assert.ok(refused > 109, `${refused} of ${bytes.length} were refused`);
});

test("a name that says no format needs one, and weights alone are not a model", async () => {
  const net = sequential([layers.dense({ units: 1, inputShape: [1] })], { name: "net" });
  const refused = async (path: string, pattern: RegExp) => {
    const message = await net.save(path).then(
      () => "",
      (error) => error.message,
    );
    assert.match(message, pattern);
  };
  await refused("net.pt", /net: save: expected a name that ends in .*'net\.pt'.*format: 'keras'/);
  await refused("net", /a name that ends in/);
  await refused("net.weights.h5", /saveWeights\(path\)/);
});

test.run();
