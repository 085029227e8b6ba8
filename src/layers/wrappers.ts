// Layers around a layer: bidirectional reads a sequence both ways, timeDistributed applies a layer at each step.
// keras.io/api/layers/recurrent_layers/bidirectional, .../time_distributed
import { show, suggestion, UnreelError } from "../errors.js";
import { arithmetic, concatenate, reverse, scaled } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { Size } from "../program/size.js";
import { seedOr } from "../random.js";
import { layerOptions } from "./core.js";
import type { Flow, LayerKind, LoweringContext } from "./kind.js";
import { type CommonOptions, copyLayer, Layer } from "./layer.js";
import { checkStates } from "./recurrence.js";
import type { Shape } from "./symbolic.js";
import { callLayer } from "./wire.js";

// -------------------------------------------------------------------------------------------------------- bidirectional

export const MERGE_MODES = ["concat", "sum", "mul", "ave"] as const;
type MergeMode = (typeof MERGE_MODES)[number];

interface BidirectionalConfig {
  forward: Layer;
  backward: Layer;
  mergeMode: MergeMode | null;
}

interface Returning {
  returnSequences: boolean;
  returnState: boolean;
}

interface Sequenced extends Returning {
  goBackwards: boolean;
  stateful: boolean;
}

const returning = (layer: Layer) => layer.config as Returning;

const bidirectionalKind: LayerKind<BidirectionalConfig> = {
  className: "Bidirectional",
  ranks: [3, Number.POSITIVE_INFINITY],

  takesConstants: ({ forward, backward }) =>
    [forward, backward].every((layer) => layer.kind.takesConstants?.(layer.config) ?? false),

  children: ({ forward, backward }, inputs) => [
    { layer: forward, inputs },
    { layer: backward, inputs },
  ],

  check({ forward, backward }, [shape], { initialState }) {
    if (!initialState) return;
    const sizes = [forward, backward].flatMap((layer) =>
      stateShapes(layer, shape).map((state) => state.at(-1)!),
    );
    checkStates(
      "bidirectional",
      sizes.map((_, k) => `state ${k}`),
      sizes,
      shape,
      initialState,
    );
  },

  outputs({ forward, backward, mergeMode }, inputs) {
    const [y, ...states] = forward.kind.outputs(forward.config, inputs);
    const [back, ...backStates] = backward.kind.outputs(backward.config, inputs);
    const merged =
      mergeMode === null
        ? [y, back]
        : [mergeMode === "concat" ? [...y.slice(0, -1), y.at(-1)! + back.at(-1)!] : y];
    return [...merged, ...states, ...backStates];
  },

  mixesTime: () => "it reads the sequence from both ends",

  lower(context, { forward, backward, mergeMode }, inputs) {
    const { builder, name, initialState } = context;
    const half = initialState.length / 2;
    const run = (layer: Layer, states: readonly Value[]) =>
      callLayer(
        context.forLayer(layer, { initialState: states, ignoresMask: context.ignoresMask }),
        layer,
        inputs,
      );
    const [there, ...states] = run(forward, initialState.slice(0, half));
    const [back, ...backStates] = run(backward, initialState.slice(half));
    const { mask } = there;
    const y = there.value;
    const inOrder = returning(forward).returnSequences
      ? builder.apply(reverse, `${name}.reverse`, [builder.timeMajor(back.value)], {})[0]
      : back.value;
    const outputs = mergeMode === null ? [y, inOrder] : [merge(context, mergeMode, y, inOrder)];
    return [...outputs.map((value) => ({ value, mask })), ...states, ...backStates];
  },
};

function merge({ builder, name }: LoweringContext, mode: MergeMode, a: Value, b: Value): Value {
  if (mode === "concat")
    return builder.apply(concatenate, `${name}.concat`, [a, b], { axis: a.shape.length - 1 })[0];
  const [merged] = builder.apply(arithmetic, `${name}.${mode}`, [a, b], {
    kernel: mode === "mul" ? "multiply" : "add",
  });
  return mode === "ave" ? builder.apply(scaled, `${name}.half`, [merged], { factor: 0.5 })[0] : merged;
}

/** Shapes of a recurrent layer's states. */
function stateShapes(layer: Layer, input: Shape): Shape[] {
  const asking = { ...layer.config, returnState: true };
  return layer.kind.outputs(asking, [input]).slice(1);
}

export interface BidirectionalOptions extends CommonOptions {
  /** A recurrent layer. It is copied: its own weights are not used. */
  layer: Layer;
  /** 'concat' (default), 'sum', 'mul', 'ave', or null for both outputs. */
  mergeMode?: MergeMode | null;
  /** The layer that reads backwards; default a copy of `layer` with `goBackwards: true`. */
  backwardLayer?: Layer;
}

/** A recurrent layer forwards and backwards over the sequence. Weights: those of the forward layer, then of the backward one;
 * initial and returned states likewise. Keras: layers.Bidirectional. */
export function bidirectional(options: BidirectionalOptions): Layer {
  const { config, common } = layerOptions("bidirectional", options, {
    layer: undefined as unknown as Layer,
    mergeMode: "concat" as MergeMode | null,
    backwardLayer: undefined as Layer | undefined,
  });
  const { layer, mergeMode, backwardLayer } = config;
  for (const each of backwardLayer ? [layer, backwardLayer] : [layer]) {
    if (each instanceof Layer && each.kind.recurrent) continue;
    const got = each instanceof Layer ? `a ${each.className} layer` : show(each);
    throw new UnreelError({
      operation: "bidirectional: layer",
      expected: "a recurrent layer (simpleRNN, lstm, gru, rnn)",
      got,
    });
  }
  if (mergeMode !== null && !MERGE_MODES.includes(mergeMode)) {
    const hint =
      typeof mergeMode === "string" && /^add/i.test(mergeMode)
        ? "It is called 'sum'."
        : suggestion(mergeMode, MERGE_MODES);
    throw new UnreelError({
      operation: "bidirectional: mergeMode",
      expected: "a known mode or null",
      got: show(mergeMode),
      hint,
    });
  }
  const { goBackwards, returnSequences, returnState, stateful } = layer.config as Sequenced;
  if (backwardLayer) {
    const back = backwardLayer.config as Sequenced;
    if (
      back.goBackwards === goBackwards ||
      back.returnSequences !== returnSequences ||
      back.returnState !== returnState ||
      back.stateful !== stateful
    ) {
      throw new UnreelError({
        operation: "bidirectional: backwardLayer",
        expected: "the other goBackwards, and the same returnSequences, returnState and stateful, as `layer`",
        got: `goBackwards ${back.goBackwards}, returnSequences ${back.returnSequences}, returnState ${back.returnState}, stateful ${back.stateful}`,
      });
    }
  } else if (goBackwards) {
    throw new UnreelError({
      operation: "bidirectional: layer",
      expected: "a layer that reads forwards",
      got: "goBackwards: true",
      hint: "Give the one that reads forwards, or a backwardLayer with goBackwards: false (Keras refuses it likewise).",
    });
  }
  // Keras: with sequences, masked outputs are zero in both directions.
  const zeroOutputForMask = returnSequences;
  const seed = "seed" in layer.config ? { seed: seedOr(undefined, "seed") } : {};
  const forward = copyLayer(layer, `forward_${layer.name.replace(/^forward_/, "")}`, { zeroOutputForMask });
  const backward = backwardLayer
    ? copyLayer(backwardLayer, backwardLayer.name, { zeroOutputForMask })
    : copyLayer(layer, `backward_${layer.name.replace(/^backward_/, "")}`, {
        zeroOutputForMask,
        goBackwards: true,
        ...seed,
      });
  return new Layer(bidirectionalKind, { forward, backward, mergeMode }, common) as unknown as Layer;
}

// ------------------------------------------------------------------------------------------------------ timeDistributed

/** The shape of one step: without the time axis. */
function stepShape([batch, , ...rest]: Shape): Shape {
  return [batch, ...rest];
}

const timeDistributedKind: LayerKind<{ layer: Layer }> = {
  className: "TimeDistributed",
  ranks: [3, Number.POSITIVE_INFINITY],

  children: ({ layer }, [shape]) => [{ layer, inputs: [stepShape(shape)] }],

  outputs({ layer }, [shape]) {
    return layer.kind
      .outputs(layer.config, [stepShape(shape)])
      .map(([batch, ...rest]) => [batch, shape[1], ...rest]);
  },

  lower(context, { layer }, [flow]) {
    const { builder } = context;
    const { mask } = flow;
    const [batch, time, ...rest] = flow.shape ?? flow.value.shape;
    // What comes straight from the model's input has the batch outermost.
    const timeMajor = flow.shape ? false : flow.value.timeMajor;
    // All steps of all samples as one large batch, in whatever order they lie in memory.
    const asSteps = (value: Value): Value => ({
      ...builder.view(value, [Size.product([batch, time]), ...rest]),
      timeMajor: false,
    });
    const steps: Flow = {
      get value() {
        return asSteps(flow.value);
      },
      isInteger: flow.isInteger,
      integers: flow.integers && ((limit) => asSteps(flow.integers!(limit))),
    };
    // A layer inside begins anew at each step, also in a stream. It is not called, as in Keras: what it gives is not penalized, only
    // what layers inside a model give.
    const samples = context.samples ?? batch;
    const inner = context.forLayer(layer, { perStep: true, streaming: false, samples });
    return layer.kind.lower(inner, layer.config, [steps]).map(({ value }) => {
      const out = builder.batchMajor(value);
      return {
        value: { ...builder.view(out, [batch, time, ...out.shape.slice(1)]), timeMajor },
        mask,
      };
    });
  },
};

/** A layer, or a model, applied to each time step with the same weights. Keras: layers.TimeDistributed. */
export function timeDistributed(options: { layer: Layer | { asLayer(): Layer } } & CommonOptions): Layer {
  const { config: given, common } = layerOptions("timeDistributed", options, {
    layer: undefined as unknown as Layer | { asLayer(): Layer },
  });
  const isModel = !(given.layer instanceof Layer) && typeof given.layer?.asLayer === "function";
  const config = {
    layer: (isModel ? (given.layer as { asLayer(): Layer }).asLayer() : given.layer) as Layer,
  };
  if (!(config.layer instanceof Layer)) {
    throw new UnreelError({
      operation: "timeDistributed: layer",
      expected: "a layer",
      got: show(config.layer),
    });
  }
  return new Layer(timeDistributedKind, config, common) as unknown as Layer;
}
