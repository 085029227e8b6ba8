// A loop over time whose body is made of other ops: any cell that is not built in. The body is recorded once; each turn's
// numbers are kept for the way back, which runs the body's nodes in reverse, from the last step to the first.
// T time, B batch. Sequences are time-major [B, T, …]; states [B, …].
import type { Pointer } from "../program/program.js";
import { type Dim, Size } from "../program/size.js";
import type { Builder } from "./builder.js";
import { count, type Emitter, type Node, type Op, origin, shifted, type Value } from "./op.js";

interface Body {
  readonly nodes: readonly Node[];
  /** What the body reads as the state, and what it makes of it. */
  readonly statesIn: readonly Value[];
  readonly statesOut: readonly Value[];
  readonly outputs: readonly Value[];
  readonly turns: Size;
  /** Memory of each state: block 0 is the initial one, block t+1 the state after step t. */
  readonly memory: readonly Pointer[];
}

/** Bytes of a value in one turn. */
function bytes(value: Value): Size {
  return count(value).times(4);
}

/** Inputs: the initial states (or undefined for zeros), then all that the body reads from outside. Outputs: a sequence for each output of the body, then the last states. */
export const scan: Op<Body> = {
  name: "scan",

  outputs(_, { outputs, statesOut, memory, turns }) {
    const sequences = outputs.map(({ shape: [batch, ...rest] }) => ({
      shape: [batch, timeOf(turns), ...rest],
      timeMajor: true,
    }));
    const last = statesOut.map((state, k) => ({
      shape: state.shape,
      pointer: shifted(memory[k], turns.times(bytes(state))),
    }));
    return [...sequences, ...last];
  },

  forward(
    e,
    { inputs: initial, outputs, attributes: { nodes, statesOut, outputs: bodyOutputs, turns, memory } },
  ) {
    statesOut.forEach((_, k) => {
      const state = initial[k];
      if (state) e.call("copy", memory[k], state, count(state));
      else e.call("fill", memory[k], 0, count(statesOut[k]));
    });
    e.loopForward(turns, nodes, {
      after() {
        statesOut.forEach((state, k) => {
          const next = { ...shifted(memory[k], bytes(state)), stride: bytes(state) };
          e.call("copy", next, state, count(state));
        });
        bodyOutputs.forEach((output, k) => {
          e.call("copy", { ...origin(outputs[k].pointer), stride: bytes(output) }, output, count(output));
        });
      },
    });
  },

  backward(e, { name, inputs: initial, outputs, attributes }) {
    const { nodes, statesIn, statesOut, outputs: bodyOutputs, turns } = attributes;
    const last = outputs.slice(bodyOutputs.length);
    const carries = last.map((state) => carry(e, state));
    const held = statesOut.map((state, k) => e.temporary(`${name}.dstate${k}`, bytes(state)));
    e.loopBackward(turns, nodes, {
      before() {
        // The carry is what reached the state after this step; from here on it collects what reaches the one before.
        statesIn.forEach((state, k) => {
          e.call("copy", held[k], carries[k], count(state));
          e.call("fill", carries[k], 0, count(state));
          e.adopt(state, carries[k]);
        });
        statesOut.forEach((state, k) => {
          if (e.wants(state)) e.call("accumulate", e.gradient(state), held[k], count(state));
        });
        bodyOutputs.forEach((output, k) => {
          const reached = e.gradientOf(outputs[k]);
          if (!reached || !e.wants(output)) return;
          e.call("accumulate", e.gradient(output), { ...reached, stride: bytes(output) }, count(output));
        });
      },
    });
    statesIn.forEach((_, k) => {
      const state = initial[k];
      if (e.wants(state)) e.call("accumulate", e.gradient(state), carries[k], count(state));
    });
  },
};

/** Where the gradient of a state lies between two steps: it begins as the last state's. */
function carry(e: Emitter, last: Value): Pointer {
  const reached = e.gradientOf(last);
  const pointer = e.temporary(`d${last.name}.carry`, bytes(last));
  if (reached) e.call("copy", pointer, reached, count(last));
  else e.call("fill", pointer, 0, count(last));
  return pointer;
}

/** The time axis of a sequence of so many turns. */
function timeOf(turns: Size): Dim {
  return turns.constant ?? turns;
}

/** What the body reads from outside: sequences, weights, constants. */
function captured(nodes: readonly Node[], statesIn: readonly Value[]): Value[] {
  const inside = new Set([...statesIn, ...nodes.flatMap((node) => node.outputs)].map((value) => value.root));
  const read = nodes.flatMap((node) => node.inputs).flatMap((value) => (value ? [value.root] : []));
  return [...new Set(read)].filter((root) => !inside.has(root));
}

export interface StateSpec {
  readonly shape: readonly Dim[];
  readonly initial?: Value;
}

export interface ScanBody {
  readonly outputs: readonly Value[];
  readonly states: readonly Value[];
}

/** Applies a scan: `build` gets one step of each sequence and the states, and returns this step's outputs and new states. */
export function applyScan(
  builder: Builder,
  name: string,
  sequences: readonly Value[],
  states: readonly StateSpec[],
  build: (steps: Value[], states: Value[]) => ScanBody,
): { sequences: Value[]; states: Value[] } {
  const turns = Size.of(sequences[0].shape[1]);
  const memory = states.map(({ shape }, k) => {
    const size = Size.product(shape).times(4);
    return builder.temporary(`${name}.state${k}`, turns.plus(1).times(size));
  });
  const { nodes, result } = builder.record(turns, () => {
    const steps = sequences.map((sequence) => {
      const shape = [sequence.shape[0], ...sequence.shape.slice(2)];
      return { ...builder.view(sequence, shape, 0, Size.product(shape).times(4)), timeMajor: false };
    });
    const statesIn = states.map(({ shape }, k) => {
      const stride = Size.product(shape).times(4);
      return builder.turnValue(`${name}.state${k}`, shape, { ...memory[k], stride });
    });
    return { statesIn, ...build(steps, statesIn) };
  });
  const body: Body = {
    nodes,
    statesIn: result.statesIn,
    statesOut: result.states,
    outputs: result.outputs,
    turns,
    memory,
  };
  const initial = states.map((state) => state.initial);
  const outputs = builder.apply(scan, name, [...initial, ...captured(nodes, result.statesIn)], body);
  return { sequences: outputs.slice(0, result.outputs.length), states: outputs.slice(result.outputs.length) };
}
