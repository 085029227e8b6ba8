// Programs as data: the arithmetic of sizes, the memory plan (no two blocks alive at once overlap, blocks that never meet
// share), and the printed form. What programs compute: ops.test.ts and layers.test.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Executor } from "../src/graph/executor.js";
import { type Lowered, layOut, lower, type Mode } from "../src/graph/lower.js";
import { input, layers, type SymbolicTensor } from "../src/index.js";
import { makeGraph } from "../src/layers/graph.js";
import { plan } from "../src/program/plan.js";
import {
  allCalls,
  callsOf,
  derivedDims,
  isPointer,
  type Program,
  print,
  runtimeDims,
  type Storage,
  storages,
} from "../src/program/program.js";
import { type Dims, Size } from "../src/program/size.js";
import { adam } from "../src/training/optimizers.js";
import { resolveLoss } from "../src/training/resolveLoss.js";
import { show } from "./gradcheck.js";

// ---------------------------------------------------------------------------------------------------------------- sizes

const dims = { B: 3, T: 7 };

test("Size: evaluates what it was made of", () => {
  assert.is(Size.zero.evaluate(dims), 0);
  assert.is(Size.of(5).evaluate({}), 5);
  assert.is(Size.of("B").evaluate(dims), 3);
  assert.is(Size.product([]).evaluate({}), 1);
  assert.is(Size.product(["T", 4, "B", "T"]).evaluate(dims), 7 * 4 * 3 * 7);
  assert.is(Size.of("T").plus(1).times(Size.of("B").times(8)).evaluate(dims), 8 * 3 * 8);
  assert.is(Size.of("T").plus(-1).evaluate(dims), 6);
});

test("Size: sums and products do not depend on the order", () => {
  const [a, b, c] = [Size.of("B").plus(2), Size.of("T").times(3), Size.of("B").times("T").plus(-5)];
  const forms = [a.times(b).plus(c.times(b)), b.times(c.plus(a)), c.times(b).plus(b.times(a))];
  for (const form of forms) {
    for (const at of [{ B: 1, T: 1 }, { B: 5, T: 2 }, dims]) {
      assert.is(form.evaluate(at), (at.B + 2 + at.B * at.T - 5) * 3 * at.T);
    }
    assert.equal(new Map([...form.terms].sort()), new Map([...forms[0].terms].sort()));
  }
});

test("Size: terms that cancel are gone, and constants are known", () => {
  const size = Size.of("B").times(4).plus(12).plus(Size.of("B").times(-4));
  assert.is(size.constant, 12);
  assert.is(size.terms.size, 1);
  assert.is(Size.of(0).constant, 0);
  assert.is(Size.of("B").constant, undefined);
  assert.is(Size.of("B").plus(1).constant, undefined);
  assert.is(Size.of("B").times(0).constant, 0);
});

test("Size: divided where every coefficient can be", () => {
  const size = Size.of("B").times(12).plus(6);
  assert.is(size.dividedBy(3)!.evaluate(dims), (3 * 12 + 6) / 3);
  assert.is(size.dividedBy(4), undefined);
  assert.is(Size.zero.dividedBy(4)!.constant, 0);
});

test("Size: a quotient is a polynomial where it can be, else a dimension that every run works out", () => {
  const T = Size.of("T");
  assert.is(Size.of(17).quotient(5).constant, 3);
  assert.is(Size.of(-1).quotient(5).constant, 0);
  assert.is(`${T.times(6).plus(4).quotient(2)}`, "T*3+2");
  assert.is(`${T.times(6).plus(5).quotient(2)}`, "T*3+2");
  const windows = T.plus(-4).quotient(3);
  assert.is(`${windows}`, "⌊(T-4)/3⌋");
  assert.is(windows.constant, undefined);
  assert.is(`${Size.of(-4).plus(T).quotient(3)}`, `${windows}`, "the order of terms does not matter");
  // Of itself, in products, and never below zero.
  const nested = windows.times("B").plus(1).quotient(2).times(4);
  for (const [time, expected] of [
    [1, 0],
    [4, 0],
    [6, 0],
    [7, 1],
    [40, 12],
  ]) {
    const at = { B: 3, T: time };
    assert.is(windows.evaluate(at), expected);
    assert.is(nested.evaluate(at), Math.floor((3 * expected + 1) / 2) * 4);
    assert.is(windows.times(windows).plus(windows.times(-1)).evaluate(at), expected * expected - expected);
  }
  assert.is(T.plus(-10).quotient(1).evaluate({ T: 7 }), 0);
});

test("dimensions of a program: those that are given, and those that follow, in the order they are needed", () => {
  const first = Size.of("T").plus(1).quotient(2);
  const second = first.plus("B").plus(-1).quotient(3);
  const made = program([[block("a", second.times("B").times(8)), block("b", first)]]);
  assert.equal(runtimeDims(made), ["B", "T"]);
  assert.equal(
    derivedDims(made).map((name) => Size.of(name).evaluate({ B: 2, T: 8 })),
    [4, 1],
  );
  assert.match(print(made), /^test\(B, T\)/);
});

test("Size: factored into the largest coefficient and a unit", () => {
  const { coefficient, unit } = Size.of("T").plus(1).times("B").times(12).factored();
  assert.is(coefficient, 12);
  assert.is(unit.evaluate(dims), 24);
  assert.is(Size.of("B").times(4).plus(6).factored().coefficient, 2);
  assert.equal(Size.zero.factored().coefficient, 0);
});

test("Size: reads like a formula", () => {
  assert.is(Size.zero.toString(), "0");
  assert.is(Size.of("T").times("B").toString(), "B*T");
  assert.is(Size.of("B").times(8).plus(-4).toString(), "B*8-4");
  assert.is(Size.of("T").plus(1).toString(), "T+1");
});

// ----------------------------------------------------------------------------------------------------------------- plans

const block = (name: string, size: Size): Storage => ({ name, base: "work", size });

/** A program of calls that each touch some blocks. */
function program(touched: Storage[][], host: Storage[] = []): Program {
  const calls = touched.map((blocks, index) => ({
    kernel: `call${index}`,
    args: blocks.map((storage) => ({ storage, offset: Size.zero })),
  }));
  return { name: "test", steps: calls, interface: host };
}

/** First and last call that needs each working block. */
function lives({ steps, interface: host, ...rest }: Program): Map<Storage, [number, number]> {
  const found = new Map<Storage, [number, number]>();
  for (const storage of storages({ steps, interface: host, ...rest })) {
    if (storage.base !== "work") continue;
    const touching = steps.flatMap((step, index) =>
      callsOf(step).some(({ args }) => args.some((arg) => isPointer(arg) && arg.storage === storage))
        ? [index]
        : [],
    );
    found.set(storage, host.includes(storage) ? [0, steps.length] : [touching[0], touching.at(-1)!]);
  }
  return found;
}

/** No two blocks alive at once share a byte, all lie within `total`, aligned; at each of some dimensions. */
function assertSound(planned: Program, total: Size, everyDims: readonly Dims[]): void {
  const blocks = [...lives(planned)];
  for (const at of everyDims) {
    const placed = blocks.map(([storage, [first, last]]) => {
      const start = storage.address!.evaluate(at);
      return { name: storage.name, first, last, start, end: start + storage.size.evaluate(at) };
    });
    placed.forEach((a, index) => {
      assert.is(a.start % 16, 0, `${a.name} is aligned at ${show(at)}`);
      assert.ok(a.start >= 0 && a.end <= total.evaluate(at), `${a.name} lies within the plan at ${show(at)}`);
      for (const b of placed.slice(index + 1)) {
        const meet = a.first <= b.last && b.first <= a.last;
        const overlap = a.start < b.end && b.start < a.end;
        assert.not.ok(meet && overlap, `${a.name} and ${b.name} overlap at ${show(at)}`);
      }
    });
  }
}

const EVERY_DIMS = [1, 2, 3, 5, 32].flatMap((B) => [1, 2, 7, 100].map((T) => ({ B, T })));

test("plan: blocks that never meet share their bytes", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => block(name, Size.product(["B", "T", 64])));
  const made = program([[a], [a, b], [b, c], [c]]);
  const total = plan(made);
  assertSound(made, total, EVERY_DIMS);
  assert.is(total.evaluate(dims), 2 * 64 * 21, "room for two of three");
  assert.is(a.address!.toString(), c.address!.toString());
});

test("plan: small blocks lie in the gap that a large one leaves", () => {
  const [large, first, second] = [128, 64, 64].map((bytes, index) =>
    block(`${index}`, Size.product(["B", bytes])),
  );
  const made = program([[large], [first], [first, second]]);
  assert.is(plan(made).evaluate({ B: 1 }), 128);
  assertSound(made, plan(made), EVERY_DIMS);
});

test("plan: what the host reads and writes shares with nothing", () => {
  const [host, early, late] = ["host", "early", "late"].map((name) => block(name, Size.of(64)));
  const made = program([[early], [host], [late]], [host]);
  assert.is(plan(made).evaluate({}), 128);
  assert.is(early.address!.evaluate({}), late.address!.evaluate({}));
  assert.is.not(host.address!.evaluate({}), late.address!.evaluate({}));
});

test("plan: blocks of odd sizes and several units, touched at random", () => {
  const units = [
    Size.of(1),
    Size.of("B"),
    Size.product(["B", "T"]),
    Size.product([Size.of("T").plus(1), "B"]),
  ];
  let state = 1;
  const random = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
  for (let round = 0; round < 20; round++) {
    const blocks = Array.from({ length: 12 }, (_, index) =>
      block(`${index}`, units[random(units.length)].times(4 * (1 + random(40))).plus(random(2) * 12)),
    );
    const calls = Array.from({ length: 15 }, () => [blocks[random(12)], blocks[random(12)]]);
    const made = program(calls, blocks.slice(0, 2));
    assertSound(made, plan(made), EVERY_DIMS);
  }
});

test("plan: only working memory is planned", () => {
  const weight: Storage = { name: "weight", base: "weights", size: Size.of(64), address: Size.of(640) };
  const made = program([[weight, block("work", Size.of(32))]]);
  assert.is(plan(made).evaluate({}), 32);
  assert.is(weight.address!.evaluate({}), 640);
});

// ---------------------------------------------------------------------------------------------------------------- models

function lowered(mode: Mode): Lowered {
  const x = input({ shape: [null], dtype: "int32" });
  const chain = [
    layers.embedding({ inputDim: 10, outputDim: 3, maskZero: true }),
    layers.lstm({ units: 5, returnSequences: true }),
    layers.dropout({ rate: 0.5 }),
    layers.gru({ units: 3, goBackwards: true }),
    layers.dense({ units: 1, activation: "sigmoid" }),
  ];
  const y = chain.reduce((value, layer) => layer.apply(value) as SymbolicTensor, x);
  const graph = makeGraph("test", [x], [y]);
  const losses = [resolveLoss("test", "binaryCrossentropy")];
  const training = { losses, lossWeights: [1], update: adam() };
  const states = { addresses: new Map(), sizes: new Map(), owners: new Map(), bytes: 0 };
  return lower(graph, mode, { layout: layOut(graph.weights), states, training });
}

for (const mode of ["predict", "evaluate", "gradients", "train"] as const) {
  test(`plan: a model's program to ${mode} is sound at every size`, () => {
    const { program, work } = lowered(mode);
    assert.equal(runtimeDims(program), ["B", "T"]);
    assertSound(program, work, EVERY_DIMS);
    const blocks = [...lives(program).keys()];
    const apart = EVERY_DIMS.map((at) => blocks.reduce((bytes, { size }) => bytes + size.evaluate(at), 0));
    assert.ok(
      EVERY_DIMS.every((at, index) => work.evaluate(at) < apart[index] + 16 * blocks.length),
      "nothing is wasted",
    );
    assert.ok(work.evaluate(EVERY_DIMS.at(-1)!) < 0.8 * apart.at(-1)!, "blocks share memory");
  });
}

test("plan: lengths that follow from others are as sound", () => {
  const x = input({ shape: [null, 3] });
  const chain = [
    layers.conv1D({ filters: 5, kernelSize: 3, padding: "same", strides: 2 }),
    layers.maxPooling1D({ padding: "same" }),
    layers.lstm({ units: 3, returnSequences: true }),
    layers.conv1DTranspose({ filters: 2, kernelSize: 3, strides: 3, padding: "same" }),
  ];
  const y = chain.reduce((value, layer) => layer.apply(value), x);
  const graph = makeGraph("test", [x], [y]);
  const losses = [resolveLoss("test", "meanSquaredError")];
  const training = { losses, lossWeights: [1], update: adam() };
  const states = { addresses: new Map(), sizes: new Map(), bytes: 0, owners: new Map() };
  const { program, work } = lower(graph, "train", { layout: layOut(graph.weights), states, training });
  assert.equal(runtimeDims(program), ["B", "T"]);
  assert.ok(derivedDims(program).length > 1);
  assertSound(program, work, EVERY_DIMS);
});

test("print: one line a call, in the order they run, after the dimensions", () => {
  const { program } = lowered("predict");
  const lines = print(program).split("\n");
  assert.is(lines.length, 1 + program.steps.length);
  assert.match(lines[0], /^predict\(B, \w+\)$/);
  allCalls(program).forEach(({ kernel }, index) => {
    assert.is(lines[index + 1].trim().split(/\s+/)[0], kernel);
  });
  assert.match(print(program), /packB .*w\.lstm\w*\/lstm_cell\/recurrent_kernel/);
});

test("print: bases by their initial, offsets in brackets, sizes as formulas", () => {
  const storage = block("hidden", Size.product(["B", 8]));
  const calls = [
    {
      kernel: "copy",
      args: [{ storage, offset: Size.of("B").times(4) }, { storage, offset: Size.zero }, Size.of("B")],
    },
    { kernel: "fill", args: [{ storage, offset: Size.zero }, 0.5, 3] },
  ];
  const text = print({ name: "example", steps: calls, interface: [] });
  assert.is(text, "example(B)\n  copy  a.hidden[B*4]  a.hidden  B\n  fill  a.hidden  0.5  3");
});

test("Executor: prints the program of a model", async () => {
  const x = input({ shape: [2] });
  const y = layers.dense({ units: 1 }).apply(x) as SymbolicTensor;
  const executor = await Executor.create(makeGraph("test", [x], [y]), "test");
  assert.match(
    executor.print("predict"),
    /^predict: packing\(\)\n {2}packB .*\npredict\(B\)\n {2}gemmPacked /,
  );
  executor.dispose();
});

test.run();
