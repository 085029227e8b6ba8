// Recurrent layers as nodes (recurrentNode.ts), or as loops (scan.ts): directions, states, outputs.
import type { Layer } from "../../../layers/layer.js";
import type { Shape } from "../../../layers/symbolic.js";
import { BOOL, type Builder, type Flow, INT32 } from "../builder.js";
import { type Config, KINDS, type Ran } from "./recurrentKinds.js";
import { attributesOf, functionsOf, node, underMask, weightsOf } from "./recurrentNode.js";
import { builtInStep, scan, sizesOf, step } from "./scan.js";
import type { WriteCall, WriteLayer, Writers } from "./write.js";

// ---------------------------------------------------------------------------------------------------------------- layers

function requireStateless(b: Builder, layer: Layer): void {
  if ((layer.config as Config).stateful)
    b.refuse(
      layer,
      "states that begin anew with each call",
      "stateful: true",
      "Give the states as inputs: initialState and returnState.",
    );
}

/** What a layer gives, of what ran. */
function outputsOf(
  b: Builder,
  { layer, inputs, shapes, initialState, mask }: WriteCall<Config>,
  { sequence, states }: Ran,
  isWhole: boolean,
): Flow[] {
  const { returnSequences, returnState, zeroOutputForMask, goBackwards } = layer.config as Config;
  let output = sequence;
  if (!returnSequences && !isWhole) {
    [output] = states;
    if (mask !== undefined && (zeroOutputForMask || initialState.length > 0)) {
      const last = b.slice(mask, 1, goBackwards ? 0 : -1, goBackwards ? 1 : undefined);
      const any = b.reduce("ReduceMax", b.cast(mask, INT32), [1], true);
      const shown = zeroOutputForMask ? last : b.cast(any, BOOL);
      output = b.where(shown, states[0], b.float(0));
    }
  }
  const first: Flow = { name: output!, shape: shapes[0], ...(returnSequences && { mask: inputs[0].mask }) };
  return [first, ...(returnState ? states.map((name, k) => ({ name, shape: shapes[1 + k] })) : [])];
}

function runBuiltIn(call: WriteCall<Config>): { ran: Ran; isWhole: boolean } {
  const { b, layer, inputs, initialState, mask } = call;
  const config = layer.config as Config;
  const kind = KINDS[layer.className];
  requireStateless(b, layer);
  const name = b.numbers(inputs[0]);
  if (!functionsOf(kind, config)) {
    const stateSizes = kind.cell.states.map(() => config.units);
    const one = (body: Builder, x: Flow, states: readonly string[]) =>
      builtInStep(body, kind, config, layer.weights, x.name, states);
    const ran = scan(b, { ...inputs[0], name }, mask, initialState, {
      stateSizes,
      outputSize: config.units,
      config,
      one,
    });
    // With a state given, steps before the first that is kept have no output.
    return {
      ran:
        mask && initialState.length > 0
          ? {
              ...ran,
              sequence: config.returnSequences ? beforeFirst(b, ran.sequence!, mask, config) : undefined,
            }
          : { ...ran, ...(!config.returnSequences && { sequence: undefined }) },
      isWhole: false,
    };
  }
  if (mask === undefined) {
    const ran = node(b, kind, layer, name, initialState, "", config.goBackwards);
    // ONNX leaves outputs at their places; here they are in the order computed.
    const sequence = config.goBackwards && ran.sequence ? b.flip(ran.sequence, 1) : ran.sequence;
    return { ran: { ...ran, sequence }, isWhole: false };
  }
  const turn = (value: string) => (config.goBackwards ? b.flip(value, 1) : value);
  return { ran: underMask(b, kind, layer, turn(name), turn(mask), initialState), isWhole: false };
}

/** Zeros before the first step that is kept. */
function beforeFirst(
  b: Builder,
  sequence: string,
  mask: string,
  { zeroOutputForMask, goBackwards }: Config,
): string {
  if (zeroOutputForMask) return sequence;
  const read = goBackwards ? b.flip(mask, 1) : mask;
  const counts = b.op("CumSum", [b.cast(read, INT32), b.ints([1], true)]);
  return b.where(b.unsqueeze(b.cast(counts, BOOL), 2), sequence, b.float(0));
}

const builtIn: WriteLayer = (call) => {
  const { ran, isWhole } = runBuiltIn(call);
  return outputsOf(call.b, call, ran, isWhole);
};

const rnn: WriteLayer = (call) => {
  const { b, layer, inputs, initialState, mask } = call;
  requireStateless(b, layer);
  const config = layer.config as Config & { cell: Layer };
  const { cell } = config;
  const [x, ...constants] = inputs;
  const ran = scan(b, { ...x, name: b.numbers(x) }, mask, initialState, {
    stateSizes: sizesOf(cell),
    outputSize: call.shapes[0].at(-1)!,
    config,
    one: (body, now, states) => step(body, cell, now, states, constants),
  });
  return outputsOf(b, call, ran, true);
};

// --------------------------------------------------------------------------------------------------------- both directions

function oneNodeForBoth(
  call: WriteCall<{ forward: Layer; backward: Layer; mergeMode?: string | null }>,
): Flow[] | undefined {
  const { b, config, inputs, initialState, mask, shapes } = call;
  const { forward, backward } = config;
  const kind = KINDS[forward.className];
  const [there, back] = [forward.config as Config, backward.config as Config];
  const fits =
    kind !== undefined &&
    mask === undefined &&
    forward.className === backward.className &&
    [there, back].every((each) => functionsOf(kind, each)) &&
    there.units === back.units &&
    there.useBias === back.useBias &&
    there.resetAfter === back.resetAfter &&
    back.goBackwards;
  if (!fits) return undefined;
  for (const layer of [forward, backward]) requireStateless(b, layer);
  const half = initialState.length / 2;
  const initial = Array.from({ length: half }, (_, k) =>
    b.concat(
      [initialState[k], initialState[half + k]].map((state) => b.unsqueeze(state, 0)),
      0,
    ),
  );
  const x = b.stepsFirst(b.numbers(inputs[0]));
  const nodeInputs = [x, ...weightsOf(b, kind, [forward, backward], there), "", ...initial];
  const [Y, ...last] = b.ops(
    kind.op,
    nodeInputs,
    kind.op === "LSTM" ? 3 : 2,
    attributesOf(kind, [there, back], "bidirectional"),
  );
  const states = last.map((each) => b.ops("Split", [each], 2, { axis: 0 }).map((one) => b.squeeze(one, 0)));
  const ends = there.returnSequences
    ? b.ops("Split", [b.transpose(Y, [1, 2, 0, 3])], 2, { axis: 0 }).map((one) => b.squeeze(one, 0))
    : states[0];
  const all = [...states.map(([first]) => first), ...states.map(([, second]) => second)];
  const kept = there.returnSequences ? inputs[0].mask : undefined;
  return together(call, ends, there.returnState ? all : [], kept, shapes);
}

function together(
  { b, config: { mergeMode } }: WriteCall<{ mergeMode?: string | null }>,
  ends: readonly string[],
  states: readonly string[],
  mask: string | undefined,
  shapes: readonly Shape[],
): Flow[] {
  const merged = () => {
    if (mergeMode === "concat") return b.concat(ends, -1);
    const both = b.binary(mergeMode === "mul" ? "Mul" : "Add", ends[0], ends[1]);
    return mergeMode === "ave" ? b.scaled(both, 0.5) : both;
  };
  const outputs = mergeMode === null ? [...ends] : [merged()];
  const flows = outputs.map((name, k): Flow => ({ name, shape: shapes[k], mask }));
  return [...flows, ...states.map((name, k) => ({ name, shape: shapes[outputs.length + k] }))];
}

const bidirectional: WriteLayer = (call) => {
  const one = oneNodeForBoth(call);
  if (one) return one;
  const { b, config, inputs, initialState, shapes } = call;
  const { forward, backward } = config as { forward: Layer; backward: Layer };
  const half = initialState.length / 2;
  const [[there, ...states], [back, ...backStates]] = [forward, backward].map((layer, d) => {
    const own = layer.kind.outputs(
      layer.config,
      inputs.map(({ shape }) => shape),
    );
    const write = RECURRENT[layer.className] ?? b.refuse(layer, "a recurrent layer", layer.className);
    const given = {
      ...call,
      layer,
      config: layer.config,
      shapes: own,
      initialState: initialState.slice(d * half, (d + 1) * half),
    };
    return write(given);
  });
  const { returnSequences } = forward.config as Config;
  // What reads from the end is turned to lie beside the other.
  const turnedBack = returnSequences ? b.flip(back.name, 1) : back.name;
  const kept = [...states, ...backStates].map(({ name }) => name);
  return together(call, [there.name, turnedBack], kept, there.mask, shapes);
};

export const RECURRENT: Writers = {
  SimpleRNN: builtIn,
  LSTM: builtIn,
  GRU: builtIn,
  RNN: rnn,
  Bidirectional: bidirectional,
};
