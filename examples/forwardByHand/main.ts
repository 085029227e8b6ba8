// A simple RNN's forward pass, four times: the layer, a cell written from ops.*, one step at a time, and a plain loop.
// h(t) = tanh(x(t) W + h(t-1) U + b)
import {
  input,
  layers,
  model,
  ops,
  type SymbolicTensor,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { Random } from "../../src/random.js";
import { start } from "../shared/task.js";

const STEPS = 100;
const INPUTS = 32;
const UNITS = 64;

/** The same in plain JavaScript, in double precision. */
function byHand(x: Tensor, [W, U, b]: readonly Tensor[]): number[] {
  let h = new Array<number>(UNITS).fill(0);
  for (let t = 0; t < STEPS; t++) {
    h = h.map((_, u) => {
      let sum = b.data[u];
      for (let i = 0; i < INPUTS; i++) sum += x.data[t * INPUTS + i] * W.data[i * UNITS + u];
      for (let k = 0; k < UNITS; k++) sum += h[k] * U.data[k * UNITS + u];
      return Math.tanh(sum);
    });
  }
  return h;
}

const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

export const task = await start(import.meta.url, {
  about:
    "The forward pass of a simple RNN, 100 steps from 32 to 64: layer, own cell, stream and plain loop agree.",

  async run({ options }) {
    const random = new Random(options.seed);
    const x = tensor(
      Float32Array.from({ length: STEPS * INPUTS }, () => random.normal()),
      [1, STEPS, INPUTS],
    );

    const layer = sequential([
      layers.simpleRNN({ units: UNITS, biasInitializer: "randomNormal", inputShape: [STEPS, INPUTS] }),
    ]);
    const byLayer = await layer.predict(x);

    const fromInput = layers.dense({ units: UNITS });
    const fromState = layers.dense({ units: UNITS, useBias: false });
    const cell = {
      stateSize: UNITS,
      call(x: SymbolicTensor, [h]: readonly SymbolicTensor[]) {
        const next = ops.tanh(ops.add(fromInput.apply(x), fromState.apply(h)));
        return [next, [next]] as const;
      },
    };
    const sequence = input({ shape: [STEPS, INPUTS] });
    const own = model({ inputs: sequence, outputs: layers.rnn({ cell }).apply(sequence) });
    const [kernel, recurrent, bias] = layer.getWeights();
    own.setWeights([kernel, bias, recurrent]);
    const byCell = await own.predict(x);

    const stream = await layer.stream();
    let step: Tensor = byLayer;
    for (let t = 0; t < STEPS; t++) {
      step = stream.step(tensor(x.data.subarray(t * INPUTS, (t + 1) * INPUTS), [1, INPUTS]));
    }

    const expected = byHand(x, [kernel, recurrent, bias]);
    layer.dispose();
    own.dispose();
    return {
      figures: [
        { name: "largest difference: layer", value: difference(byLayer.data, expected), atMost: 1e-6 },
        { name: "largest difference: own cell", value: difference(byCell.data, expected), atMost: 1e-6 },
        { name: "largest difference: stream", value: difference(step.data, expected), atMost: 1e-6 },
      ],
    };
  },
});
