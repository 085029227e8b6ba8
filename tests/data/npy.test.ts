// NumPy's files: arrays that NumPy wrote (every type and order), and those written here, byte by byte as NumPy's. The fixture:
// tests/formats/make_npy.py.
import { zipSync } from "fflate";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { data, tensor, UnreelError } from "../../src/index.js";
import { bytesOf, readFixture } from "../formats/fixtures.js";

interface NpyCase {
  name: string;
  dtype: string;
  shape: number[];
  values: number[];
  file: string;
}

const { cases, npz } = readFixture<{ cases: NpyCase[]; npz: string }>("npy.json");

for (const { name, dtype, shape, values, file } of cases) {
  test(`read: ${name}`, async () => {
    const read = await data.readNpy(bytesOf(file));
    assert.equal(read.shape, shape);
    assert.is(read.dtype, dtype.startsWith("f") ? "float32" : "int32");
    assert.equal([...read.data], values);
  });
  if (name.includes("fortran") || !["f4", "f8", "i4", "i8", "u1"].includes(dtype)) continue;
  test(`written as NumPy does: ${name}`, () => {
    const as = { f4: "float32", f8: "float64", i4: "int32", i8: "int64", u1: "uint8" } as const;
    const array = tensor(dtype.startsWith("f") ? Float32Array.from(values) : Int32Array.from(values), shape);
    assert.equal(data.npyBytes(array, { dtype: as[dtype as keyof typeof as] }), bytesOf(file));
  });
}

test("npz: NumPy's, and back", async () => {
  const read = await data.readNpz(bytesOf(npz));
  assert.equal(Object.keys(read).sort(), ["arr_0", "w/b"]);
  assert.equal(read["w/b"].toArray(), [
    [1, 2],
    [3, 4],
  ]);
  const again = await data.readNpz(await data.npzBytes(read));
  assert.equal(again["w/b"].toArray(), read["w/b"].toArray());
  assert.equal([...again.arr_0.data], [...read.arr_0.data]);
});

test("npz: a mostly empty array is read whatever its file's size, up to a limit that can be set", async () => {
  const many = new Float32Array(10 << 20);
  many[7 << 20] = 1;
  const packed = zipSync({ "x.npy": data.npyBytes(many) });
  assert.ok(packed.length < many.byteLength / 500);
  const { x } = await data.readNpz(packed);
  assert.equal([x.shape, x.data[7 << 20]], [[10 << 20], 1]);
  const refusal = (maxBytes: number) =>
    data.readNpz(packed, { maxBytes }).then(
      () => "nothing was refused",
      ({ message }) => message,
    );
  assert.match(await refusal(1 << 20), /x\.npy: expected at most 1048576 bytes unpacked, got .*maxBytes/);
  assert.match(await refusal(0), /^data\.readNpz: maxBytes: expected a positive integer, got 0/);
});

test("what a type does not hold is refused", () => {
  for (const [dtype, value] of [
    ["uint8", -1],
    ["uint8", 256],
    ["int32", 0.5],
    ["int64", Number.NaN],
    ["int32", 2 ** 31],
  ] as const)
    assert.throws(
      () => data.npyBytes(tensor([value]), { dtype }),
      (error: unknown) => error instanceof UnreelError && /flat position 0/.test(error.message),
      `${dtype} ${value}`,
    );
  assert.throws(() => data.npyBytes([1], { dtype: "f4" as never }), /dtype.*'f4'/);
});

test("shapes that no file can have are refused", async () => {
  const [{ file }] = cases.filter(({ dtype, shape }) => dtype === "f4" && shape.length === 2);
  const text = Buffer.from(bytesOf(file)).toString("latin1");
  const changed = text.replace(/\(\d+, \d+\)/, "(99999999, 99999999, 99999999)").replace(/ {25}\n/, "\n");
  await data.readNpy(Uint8Array.from(Buffer.from(changed, "latin1"))).then(
    () => assert.unreachable(),
    (error) => assert.instance(error, UnreelError),
  );
});

test.run();
