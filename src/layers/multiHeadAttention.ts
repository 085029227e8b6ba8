// Attention of several heads at once, each over projections of its own (Vaswani et al. 2017, arxiv.org/abs/1706.03762).
// keras.io/api/layers/attention_layers/multi_head_attention
import { positiveInteger, show, UnreelError } from "../errors.js";
import { ACTIVATION_KERNELS } from "../ops/activation.js";
import { activation, arithmetic, dense, scaled } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { checkSequences, noise, whole } from "./attention.js";
import { dropped, type Hiding, jointMask, weightsOf } from "./attentionWeights.js";
import { lastAxis, layerOptions } from "./core.js";
import type { Initializer, InitializerLike } from "./initializers.js";
import type { Flow, LayerKind, LoweringContext, WeightSpec } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits, resolveLimits } from "./limits.js";
import { requireEqualIn } from "./operations/call.js";
import type { Regularizer, RegularizerLike } from "./regularizers.js";
import { resolveInitializer } from "./resolveInitializer.js";
import { matmul, permute, reshape } from "./values.js";

/** The dense layers inside, in the order of their weights in Keras. */
export const PROJECTIONS = ["query", "key", "gate", "value", "attention_output"] as const;
type Projection = (typeof PROJECTIONS)[number];

interface MultiHeadConfig extends LimitConfig<"kernel" | "bias"> {
  numHeads: number;
  keyDim: number;
  valueDim: number;
  dropout: number;
  useBias: boolean;
  useGate: boolean;
  outputShape: readonly number[] | null;
  attentionAxes: readonly number[];
  slidingWindow: number | null;
  kernelInitializer: Initializer;
  biasInitializer: Initializer;
  /** Of the projections behind the first: each draws numbers of its own. */
  initializers: Apart;
  /** Of what each projection gives, not of the layer's output alone. */
  projectionRegularizer: Regularizer | null;
  seed: number;
}

/** Initializers by the names of weights. */
interface Apart {
  readonly of: Readonly<Record<string, Initializer>>;
  again(): Apart;
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Projections of a config, each from a shape to a shape, as its kernel has them side by side. */
function projections(
  { numHeads, keyDim, valueDim, useGate, outputShape }: MultiHeadConfig,
  [query, value, key]: readonly number[],
): [Projection, readonly number[], readonly number[]][] {
  const [toKeys, toValues] = [
    [numHeads, keyDim],
    [numHeads, valueDim],
  ];
  return [
    ["query", [query], toKeys],
    ["key", [key], toKeys],
    ...(useGate ? [["gate", [query], toValues] as [Projection, number[], number[]]] : []),
    ["value", [value], toValues],
    ["attention_output", toValues, outputShape ?? [query]],
  ];
}

/** Where Keras puts hidden scores when it computes all in one call (-0.7 times the largest number), and when scores are wanted or
 * dropped: then it also clears the weights of a query that sees nothing (keras layers/activations/softmax.py). */
const IN_ONE_CALL: Hiding = { value: -0.7 * 3.4028234663852886e38 };
const STEP_BY_STEP: Hiding = { value: -1e9, clear: true };

const multiHeadKind: LayerKind<MultiHeadConfig> = {
  className: "MultiHeadAttention",
  merges: true,
  attends: "named",
  takesMasks: true,
  ranks: [3, 3],

  check(_, inputs) {
    checkSequences("multiHeadAttention", inputs);
  },

  weights(config, [query, value, key = value]) {
    const widths = [query, value, key].map((shape) => lastAxis("multiHeadAttention", shape));
    return projections(config, widths).flatMap(([name, from, to]): WeightSpec[] => {
      const kernel = config.initializers.of[`${name}/kernel`] ?? config.kernelInitializer;
      const bias = config.initializers.of[`${name}/bias`] ?? config.biasInitializer;
      const fans = [product(from), product(to)] as const;
      return [
        {
          name: `${name}/kernel`,
          shape: [...from, ...to],
          initializer: { ...kernel, draw: (shape) => kernel.draw(shape, fans) },
          ...limitsOf("kernel", config),
        },
        ...(config.useBias
          ? [{ name: `${name}/bias`, shape: to, initializer: bias, ...limitsOf("bias", config) }]
          : []),
      ];
    });
  },

  outputs({ numHeads, outputShape }, [[batch, queries, width], value], options) {
    const output = [batch, queries, ...(outputShape ?? [width])];
    const scores = [batch, numHeads, queries, value[1]];
    return options?.attending?.returnAttentionScores ? [output, scores] : [output];
  },

  joinMasks: (_context, _config, [query]) => query.mask,

  mixesTime: () => "it looks at whole sequences",

  lower(context, config, flows) {
    const { builder, name, attending } = context;
    const { numHeads, keyDim, valueDim, slidingWindow } = config;
    const values = whole(context, flows);
    const weights = weightsByName(context, config);
    const project = (what: Projection, x: Value) => projected(context, config, what, x, weights);
    const [query, key] = [
      heads(context, "query", project("query", values[0]), numHeads, keyDim),
      heads(context, "key", project("key", values[2]), numHeads, keyDim),
    ];
    const gate = config.useGate ? project("gate", values[0]) : undefined;
    const value = heads(context, "value", project("value", values[1]), numHeads, valueDim);

    const [small] = builder.apply(scaled, `${name}.scaled`, [query], { factor: 1 / Math.sqrt(keyDim) });
    const scores = matmul(builder, `${name}.scores`, small, key, requireEqualIn(context), "b");
    const joint = jointMask(context, scores, {
      query: flows[0].mask,
      keys: [flows[1].mask, flows[2]?.mask],
      attention: attending?.attentionMask,
      near: nearOf(slidingWindow, attending?.useCausalMask ?? false),
    });
    const isWhole = config.dropout === 0 && !attending?.returnAttentionScores;
    const weighed = weightsOf(context, scores, joint, isWhole ? IN_ONE_CALL : STEP_BY_STEP);
    const final = dropped(context, weighed, config.dropout, config.seed);
    const mixed = matmul(builder, `${name}.mixed`, final, value, requireEqualIn(context));

    const [batch, , queries] = mixed.shape;
    const turned = permute(builder, `${name}.heads`, mixed, [0, 2, 1, 3]);
    const flat = reshape(builder, `${name}.flat`, turned, [batch, queries, numHeads * valueDim]);
    const open = gate ? gated(context, flat, gate) : flat;
    const out = project("attention_output", open);
    const output = reshape(builder, name, out, [batch, queries, ...(config.outputShape ?? [out.shape[2]])]);
    const outputs: Flow[] = [{ value: output, mask: flows[0].mask }];
    return attending?.returnAttentionScores ? [...outputs, { value: weighed }] : outputs;
  },
};

function nearOf(slidingWindow: number | null, isCausal: boolean) {
  if (slidingWindow === null && !isCausal) return undefined;
  const reach = slidingWindow === null ? undefined : slidingWindow - 1;
  return { before: reach, after: isCausal ? 0 : reach };
}

function weightsByName({ weights }: LoweringContext, { useBias, useGate }: MultiHeadConfig) {
  const names = PROJECTIONS.filter((name) => useGate || name !== "gate");
  const each = useBias ? 2 : 1;
  return new Map(names.map((name, k) => [name, weights.slice(k * each, (k + 1) * each)]));
}

/** x [batch, steps, …] times a kernel, all its heads side by side. */
function projected(
  context: LoweringContext,
  { projectionRegularizer }: MultiHeadConfig,
  what: Projection,
  x: Value,
  weights: ReadonlyMap<Projection, readonly Value[]>,
): Value {
  const { builder, name } = context;
  const [kernel, bias] = weights.get(what)!;
  const width = x.shape[2] as number;
  const columns = product(kernel.shape as number[]) / width;
  const matrix = builder.view(kernel, [width, columns]);
  const row = bias && builder.view(bias, [columns]);
  const [out] = builder.apply(dense, `${name}.${what}`, [x, matrix, row], {});
  if (projectionRegularizer) context.penalize(projectionRegularizer, out);
  return out;
}

/** [batch, steps, heads · size] as [batch, heads, steps, size] */
function heads({ builder, name }: LoweringContext, what: string, x: Value, numHeads: number, size: number) {
  const [batch, steps] = x.shape;
  const apart = reshape(builder, `${name}.${what}.apart`, x, [batch, steps, numHeads, size]);
  return permute(builder, `${name}.${what}.heads`, apart, [0, 2, 1, 3]);
}

/** x times the sigmoid of a gate. */
function gated({ builder, name }: LoweringContext, x: Value, gate: Value): Value {
  const [open] = builder.apply(activation, `${name}.gate.sigmoid`, [gate], ACTIVATION_KERNELS.sigmoid);
  return builder.apply(arithmetic, `${name}.gated`, [x, open], { kernel: "multiply" })[0];
}

export interface MultiHeadAttentionOptions extends CommonOptions, LimitOptions<"kernel" | "bias"> {
  numHeads: number;
  /** Features of a head for query and key. */
  keyDim: number;
  /** Features of a head for the value; default keyDim. */
  valueDim?: number | null;
  /** Share of the weights of attention set to zero while training, in [0, 1). Default 0. */
  dropout?: number;
  useBias?: boolean;
  /** What a step of the output is: its size, or its axes. Default: as many features as the query has. */
  outputShape?: number | readonly number[] | null;
  /** The axis of time, 1, the only one of (batch, steps, features) that can be. */
  attentionAxes?: number | readonly number[] | null;
  /** A query sees keys fewer than so many places before and behind it only. Default null: all. */
  slidingWindow?: number | null;
  /** Multiplies what attention gives by the sigmoid of one more projection of the query (arxiv.org/abs/2505.06708). Default false. */
  useGate?: boolean;
  kernelInitializer?: InitializerLike;
  biasInitializer?: InitializerLike;
  /** Penalty on what each projection gives, masked steps included. */
  activityRegularizer?: RegularizerLike | null;
  seed?: number | null;
}

/** Attention in `numHeads` heads: softmax(q kᵀ / √keyDim) v over projections q, k, v of query, key and value, the heads side by side
 * projected once more (Vaswani et al. 2017).
 *
 * `apply([query, value])` or `apply([query, value, key], { attentionMask, valueMask, keyMask, useCausalMask, returnAttentionScores })`:
 * query (batch, queries, ·), value and key (batch, keys, ·), key default the value; of one sequence with itself `apply([x, x])`. Gives
 * (batch, queries, features of the query) or (batch, queries, …outputShape), and with `returnAttentionScores` also the weights (batch,
 * numHeads, queries, keys) before dropout. A query sees a key where all masks let it: those that come with query, value and key (embedding with
 * maskZero, masking), attentionMask, the causal one. The mask of the query goes on with the output. As Keras' layer does, it takes
 * the masks away from its inputs: what is applied to them later, even a sum with the output, has no mask of theirs.
 * Weights: kernel and bias of query, key, (gate,) value and output: [features, numHeads, keyDim] and [numHeads, keyDim], …,
 * [numHeads, valueDim, …output] and [...output]. Defaults: valueDim keyDim, dropout 0, useBias true, kernelInitializer glorotUniform,
 * biasInitializer zeros. Keras: layers.MultiHeadAttention. */
export function multiHeadAttention(options: MultiHeadAttentionOptions): Layer {
  const operation = "multiHeadAttention";
  const { config: given, common } = layerOptions(operation, options, {
    numHeads: undefined as unknown as number,
    keyDim: undefined as unknown as number,
    valueDim: null as number | null,
    dropout: 0,
    useBias: true,
    outputShape: null as MultiHeadAttentionOptions["outputShape"],
    attentionAxes: null as MultiHeadAttentionOptions["attentionAxes"],
    slidingWindow: null as number | null,
    useGate: false,
    kernelInitializer: "glorotUniform" as InitializerLike,
    biasInitializer: "zeros" as InitializerLike,
    ...noLimits("kernel", "bias"),
    activityRegularizer: null as RegularizerLike | null,
    seed: null as number | null,
  });
  const { activityRegularizer: projectionRegularizer, ...config } = resolveLimits(operation, given);
  const keyDim = positiveInteger(`${operation}: keyDim`, config.keyDim);
  const { valueDim, slidingWindow } = config;
  const kernelInitializer = resolveInitializer(`${operation}: kernelInitializer`, config.kernelInitializer);
  const biasInitializer = resolveInitializer(`${operation}: biasInitializer`, config.biasInitializer);
  return new Layer(
    multiHeadKind,
    {
      ...config,
      numHeads: positiveInteger(`${operation}: numHeads`, config.numHeads),
      keyDim,
      valueDim: valueDim === null ? keyDim : positiveInteger(`${operation}: valueDim`, valueDim),
      outputShape: readOutputShape(`${operation}: outputShape`, config.outputShape),
      attentionAxes: readAxes(`${operation}: attentionAxes`, config.attentionAxes),
      slidingWindow:
        slidingWindow === null ? null : positiveInteger(`${operation}: slidingWindow`, slidingWindow),
      kernelInitializer,
      biasInitializer,
      initializers: apart(kernelInitializer, biasInitializer),
      projectionRegularizer,
      ...noise(operation, config),
    },
    common,
  ) as unknown as Layer;
}

function apart(kernel: Initializer, bias: Initializer): Apart {
  const [, ...later] = PROJECTIONS;
  const again = (initializer: Initializer) => initializer.again?.() ?? initializer;
  const of = Object.fromEntries(
    later.flatMap((name) => [
      [`${name}/kernel`, again(kernel)],
      [`${name}/bias`, again(bias)],
    ]),
  );
  return { of, again: () => apart(kernel, bias) };
}

function readOutputShape(operation: string, given: MultiHeadAttentionOptions["outputShape"]) {
  if (given === null || given === undefined) return null;
  const shape = [given].flat();
  if (shape.length > 0 && shape.every((d) => Number.isSafeInteger(d) && d > 0)) return shape;
  throw new UnreelError({
    operation,
    expected: "a positive integer or a list of them, without batch and steps",
    got: show(given),
  });
}

/** Keras counts the axes of the input; -2 is the axis of time too. */
function readAxes(operation: string, given: MultiHeadAttentionOptions["attentionAxes"]): number[] {
  const axes = given === null || given === undefined ? [1] : [given].flat();
  if (axes.length === 1 && (axes[0] === 1 || axes[0] === -2)) return [1];
  throw new UnreelError({
    operation,
    expected: "null or 1, the axis of time of (batch, steps, features)",
    got: show(given),
    hint: "Attention over other axes: layers.permute or layers.reshape before it.",
  });
}
