// Calls of the recurrences, forward and back, without x·W: what depends on the state before.
import { roundUp } from "../src/wasm/memory.js";
import { type KernelMemory, type KernelRow, uniform } from "./kernelMemory.js";
import { gatesOf, type ModelShape, nameOf } from "./shapes.js";

// Operations of the functions (assembly/math.ts) and, with them, of each unit in a step (assembly/cells/).
const TANH = 26;
const SIGMOID = 27;
const POINTWISE = {
  simpleRNN: { forward: TANH, backward: 4 },
  lstm: { forward: 3 * SIGMOID + 2 * TANH + 4, backward: TANH + 22 },
  gru: { forward: 2 * SIGMOID + TANH + 5, backward: 17 },
};

export function sequence(shape: ModelShape, backward = false): KernelRow {
  const { cell, batch: B, steps: T, units: H } = shape;
  const G = gatesOf[cell];
  return {
    name: `${sequenceName(shape)}${backward ? " backward" : ""}`,
    make(memory) {
      const blocks = allocate(memory, shape);
      const { gates, inner, dhidden, dcell } = blocks;
      const forward = forwardOf(memory, shape, blocks);
      const keep = (address: number, words: number) => {
        const saved = memory.view(address, words).slice();
        return () => memory.view(address, words).set(saved);
      };
      const restoreGates = keep(gates, T * B * G * H);
      const pointwise = POINTWISE[cell][backward ? "backward" : "forward"];
      // Gates are read and written, states written; R is read in every step.
      const states = cell === "simpleRNN" ? 1 : 2;
      const blockBytes = 4 * T * B * H * (2 * G + states);
      const cost = {
        flops: T * B * H * (2 * G * H + pointwise),
        bytes: blockBytes + 4 * T * G * H * H,
        footprint: 4 * (T * B * H * (G + states) + G * H * H),
      };
      if (!backward) return { run: forward, before: restoreGates, ...cost };
      // Back starts from what forward left: activated gates, inner products, and a gradient of the last state.
      forward();
      const restores = [
        keep(gates, T * B * G * H),
        keep(inner, T * B * H),
        keep(dhidden, B * H),
        keep(dcell, B * H),
      ];
      const before = () => {
        for (const restore of restores) restore();
      };
      return { run: backwardOf(memory, shape, blocks), before, ...cost };
    },
  };
}

type Blocks = ReturnType<typeof allocate>;

function allocate(memory: KernelMemory, { cell, batch: B, steps: T, units: H }: ModelShape) {
  const G = gatesOf[cell];
  // As large as weights at the start of training: with smaller ones the gradient falls into slow denormal numbers.
  const small = uniform(Math.sqrt(3 / H));
  return {
    gates: memory.words(T * B * G * H),
    /** As packed: its numbers in any order. */
    recurrent: memory.words(G * H * Math.ceil(H / 16) * 16, small),
    hidden: memory.words((T + 1) * B * H, () => 0),
    cells: memory.words((T + 1) * B * H, () => 0),
    inner: memory.words(T * B * H),
    dhidden: memory.words(B * H, small),
    dcell: memory.words(B * H, small),
    scratch: memory.words(G * H * roundUp(H, 16) + 5 * roundUp(B * H, 4) + 8 * H + 1024),
    bias: memory.words(G * H, small),
  };
}

function forwardOf({ kernels }: KernelMemory, shape: ModelShape, blocks: Blocks): () => void {
  const { cell, batch: B, steps: T, units: H, resetAfter = true } = shape;
  const { hidden, cells, gates, inner, recurrent, bias, scratch } = blocks;
  const after = resetAfter ? 1 : 0;
  return {
    simpleRNN: () => kernels.simpleSequence(hidden, gates, recurrent, 0, 0, T, B, H, scratch),
    lstm: () => kernels.lstmSequence(hidden, cells, gates, recurrent, 0, 0, T, B, H, scratch),
    gru: () => kernels.gruSequence(hidden, gates, inner, recurrent, bias, 0, 0, T, B, H, after, scratch),
  }[cell];
}

function backwardOf({ kernels }: KernelMemory, shape: ModelShape, blocks: Blocks): () => void {
  const { cell, batch: B, steps: T, units: H, resetAfter = true } = shape;
  const { hidden: h, cells: c, gates, inner, dhidden, dcell, recurrent: r, scratch } = blocks;
  const after = resetAfter ? 1 : 0;
  return {
    simpleRNN: () => kernels.simpleSequenceBackward(gates, dhidden, 0, h, r, 0, 0, T, B, H, scratch),
    lstm: () => kernels.lstmSequenceBackward(gates, dhidden, dcell, 0, c, r, 0, 0, T, B, H, scratch),
    gru: () => kernels.gruSequenceBackward(gates, inner, dhidden, 0, h, r, 0, 0, T, B, H, after, scratch),
  }[cell];
}

/** As in "lstm B1 T100 H64". */
function sequenceName({ inputs: _, vocabulary: __, ...shape }: ModelShape): string {
  return nameOf({ ...shape, inputs: 0 }).replace(" I0", "");
}
