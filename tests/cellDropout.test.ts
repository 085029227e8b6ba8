// Dropout inside the built-in cells: one mask of the inputs for all gates, or, where the state is dropped too, one of the inputs and
// one of the state for each gate, as Keras 3 has it; the same at every step. Against float64, with all gradients.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Layer, layers } from "../src/index.js";
import type { LoweringContext } from "../src/layers/kind.js";
import { gateMasks } from "../src/layers/recurrence.js";
import { rootContext } from "../src/layers/wire.js";
import type { Builder } from "../src/ops/builder.js";
import type { Value } from "../src/ops/op.js";
import { differentiate } from "./differentiate.js";
import { checkOp, ids, numbers } from "./gradcheck.js";
import { type Real, real } from "./reference.js";

const [B, T, I, U] = [3, 4, 5, 3];
const seed = ids(real([2], (i) => 11 + i));

interface Cell {
  make(options: object): Layer;
  gates: number;
  /** New states from the gates' arguments (of x and of the state apart) and the states. */
  step(
    x: (gate: number) => number[],
    h: (gate: number, state?: number[]) => number[],
    states: number[][],
  ): number[][];
}

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
const zip = (f: (...values: number[]) => number, ...vectors: number[][]) =>
  vectors[0].map((_, i) => f(...vectors.map((vector) => vector[i])));

const lstm = (x: (g: number) => number[], h: (g: number) => number[], [, c]: number[][]) => {
  const gate = (g: number) => zip((a, b) => sigmoid(a + b), x(g), h(g));
  const candidate = zip((a, b) => Math.tanh(a + b), x(2), h(2));
  const next = zip((i, f, k, before) => f * before + i * k, gate(0), gate(1), candidate, c);
  return [zip((o, v) => o * Math.tanh(v), gate(3), next), next];
};

const gru =
  (resetAfter: boolean): Cell["step"] =>
  (x, h, [before]) => {
    const [z, r] = [0, 1].map((g) => zip((a, b) => sigmoid(a + b), x(g), h(g)));
    const inner = resetAfter ? zip((a, b) => a * b, r, h(2)) : h(2, r);
    const candidate = zip((a, b) => Math.tanh(a + b), x(2), inner);
    return [zip((update, old, now) => update * old + (1 - update) * now, z, before, candidate)];
  };

const cells: Record<string, Cell> = {
  simpleRNN: {
    make: (options) => layers.simpleRNN({ units: U, ...options }),
    gates: 1,
    step: (x, h) => [zip((a, b) => Math.tanh(a + b), x(0), h(0))],
  },
  lstm: { make: (options) => layers.lstm({ units: U, ...options }), gates: 4, step: lstm },
  gru: { make: (options) => layers.gru({ units: U, ...options }), gates: 3, step: gru(true) },
  "gru, reset before": {
    make: (options) => layers.gru({ units: U, resetAfter: false, ...options }),
    gates: 3,
    step: gru(false),
  },
};

/** The context in which a layer is trained. */
function contextOf(builder: Builder, seedValue: Value, layer: Layer, weights: Value[]): LoweringContext {
  const states = { addresses: new Map(), sizes: new Map(), owners: new Map(), bytes: 0 };
  return rootContext({
    builder,
    weights: new Map(layer.weights.map((weight, index) => [weight, weights[index]])),
    states,
    seed: seedValue.pointer,
    equal: [],
    least: [],
    assigned: new Map(),
    training: true,
    streaming: false,
  }).forLayer(layer);
}

/** The masks that a cell draws: of the inputs, then of the state. */
async function masksOf(layer: Layer, gates: number): Promise<{ inputs: number[][]; state: number[][] }> {
  const config = layer.config as { dropout: number; recurrentDropout: number; seed: number };
  let inputs = 0;
  const { outputs } = await differentiate([seed], (builder, [seedValue]) => {
    const context = contextOf(builder, seedValue, layer, []);
    const first = gateMasks(context, config.dropout, config, gates, [B, I]);
    inputs = first.length;
    return [...first, ...gateMasks(context, config.recurrentDropout, config, gates, [B, U])];
  });
  const all = outputs.map((mask) => [...mask]);
  return { inputs: all.slice(0, inputs), state: all.slice(inputs) };
}

for (const [name, { make, gates, step }] of Object.entries(cells)) {
  for (const options of [
    { dropout: 0.4 },
    { recurrentDropout: 0.4 },
    { dropout: 0.3, recurrentDropout: 0.4 },
  ]) {
    test(`${name} ${JSON.stringify(options)}`, async () => {
      const layer = make({ ...options, seed: 3, returnSequences: true, activation: "tanh" });
      layer.build([[B, T, I]]);
      const masks = await masksOf(layer, gates);
      const several = options.recurrentDropout !== undefined ? gates : 1;
      assert.is(masks.inputs.length, options.dropout ? several : 0);
      assert.is(masks.state.length, options.recurrentDropout ? gates : 0);
      const distinct = new Set([...masks.inputs, ...masks.state].map(String));
      assert.is(distinct.size, masks.inputs.length + masks.state.length, "every mask is another one");

      const reference = ([, x, kernel, R, bias]: readonly Real[]): Real[] => {
        const columns = gates * U;
        const out: number[][][] = [];
        for (let b = 0; b < B; b++) {
          let states = [new Array<number>(U).fill(0), new Array<number>(U).fill(0)];
          out.push([]);
          for (let t = 0; t < T; t++) {
            const product = (v: number[], mask: number[] | undefined, matrix: Real, g: number) =>
              Array.from({ length: U }, (_, u) =>
                v.reduce(
                  (sum, value, i) =>
                    sum + value * (mask ? mask[b * v.length + i] : 1) * matrix.data[i * columns + g * U + u],
                  0,
                ),
              );
            const row = x.data.slice((b * T + t) * I, (b * T + t + 1) * I);
            const biasAt = (g: number, u: number, second = 0) =>
              second * columns < bias.data.length ? bias.data[second * columns + g * U + u] : 0;
            const ofInput = (g: number) =>
              product(row, masks.inputs[g] ?? masks.inputs[0], kernel, g).map((v, u) => v + biasAt(g, u));
            const ofState = (g: number, reset?: number[]) =>
              product(reset ? zip((a, c) => a * c, reset, states[0]) : states[0], masks.state[g], R, g).map(
                (v, u) => v + biasAt(g, u, 1),
              );
            states = step(ofInput, ofState, states);
            out[b].push(states[0]);
          }
        }
        return [{ shape: [B, T, U], data: out.flat(2) }];
      };
      const [kernel, R, bias] = layer.weights.map(({ shape }, index) => numbers(shape, 20 + index));
      await checkOp({
        given: [seed, numbers([B, T, I], 1), kernel, R, bias],
        build(builder, [seedValue, x, ...weights]) {
          const context = contextOf(builder, seedValue, layer, weights);
          return [layer.kind.lower(context, layer.config, [{ value: x }])[0].value];
        },
        reference,
      });
    });
  }
}

test.run();
