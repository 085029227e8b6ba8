// Attention between two sequences without projections: attention (scores are products; Luong et al. 2015, arxiv.org/abs/1508.04025) and
// additiveAttention (Bahdanau et al. 2015, arxiv.org/abs/1409.0473). keras.io/api/layers/attention_layers
import { inRange, show, suggestion, UnreelError } from "../errors.js";
import { additiveScores, arithmetic, selectRows } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { seedOr } from "../random.js";
import { dropped, jointMask, weightsOf } from "./attentionWeights.js";
import { lastAxis, layerOptions } from "./core.js";
import { glorotUniform, type Initializer, ones } from "./initializers.js";
import type { Flow, LayerKind, LoweringContext, WeightSpec } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { requireEqualIn } from "./operations/call.js";
import { type Shape, showShape } from "./symbolic.js";
import { matmul, together } from "./values.js";

interface AttentionConfig {
  useScale: boolean;
  dropout: number;
  seed: number;
}

const SCORE_MODES = ["dot", "concat"] as const;
type ScoreMode = (typeof SCORE_MODES)[number];

/** Query, value and key in order: 2 or 3 sequences of vectors, of which value and key have the same steps. */
export function checkSequences(operation: string, inputs: readonly Shape[]): void {
  if (inputs.length < 2 || inputs.length > 3) {
    throw new UnreelError({
      operation,
      expected: "2 or 3 inputs",
      got: `${inputs.length}`,
      hint: "apply([query, value]) or apply([query, value, key]); for attention of a sequence to itself, apply([x, x])",
    });
  }
  const [[batch], value, key = value] = inputs;
  const fits = (a: number | null, b: number | null) => a === null || b === null || a === b;
  if (!fits(value[1], key[1])) {
    throw new UnreelError({
      operation,
      expected: `a key with the ${value[1]} steps of the value`,
      got: showShape(key),
    });
  }
  const other = inputs.find(([samples]) => !fits(samples, batch));
  if (other) {
    throw new UnreelError({ operation, expected: `inputs of batch size ${batch}`, got: showShape(other) });
  }
}

function checkWidths(operation: string, [query, value, key = value]: readonly Shape[]): void {
  if (lastAxis(operation, query) === lastAxis(operation, key)) return;
  throw new UnreelError({
    operation,
    expected: `a query and a key with as many features`,
    got: `${showShape(query)} and ${showShape(key)}`,
    hint: "Bring them to one width with layers.dense, or use layers.multiHeadAttention.",
  });
}

/** x times a weight of one number. */
function timesScalar(context: LoweringContext, what: string, x: Value, factor: Value): Value {
  const { builder, name } = context;
  const both = together(builder, `${name}.${what}`, [x, factor], requireEqualIn(context));
  return builder.apply(arithmetic, `${name}.${what}`, both, { kernel: "multiply" })[0];
}

type Scores<C> = (context: LoweringContext, config: C, query: Value, key: Value) => Value;

/** A kind of attention by its weights and its scores. */
function attending<C extends AttentionConfig>(
  className: string,
  weights: (config: C, query: Shape) => WeightSpec[],
  scoresOf: Scores<C>,
): LayerKind<C> {
  const operation = className.charAt(0).toLowerCase() + className.slice(1);
  return {
    className,
    merges: true,
    attends: "list",
    ranks: [3, 3],

    check(_, inputs) {
      checkSequences(operation, inputs);
      checkWidths(operation, inputs);
    },

    weights: (config, [query]) => weights(config, query),

    outputs(_, [[batch, queries], value], options) {
      const output = [batch, queries, value[2]];
      return options?.attending?.returnAttentionScores ? [output, [batch, queries, value[1]]] : [output];
    },

    joinMasks: (_context, _config, [query]) => query.mask,

    mixesTime: () => "it looks at whole sequences",

    lower(context, config, flows) {
      const { builder, name, attending: called } = context;
      const [query, value, key] = whole(context, flows);
      const scores = scoresOf(context, config, query, key);
      const joint = jointMask(context, scores, {
        keys: [flows[1].mask],
        near: called?.useCausalMask ? { after: 0 } : undefined,
      });
      const weighed = weightsOf(context, scores, joint, { value: -1e9, shift: true });
      const final = dropped(context, weighed, config.dropout, config.seed);
      const product = matmul(builder, name, final, value, requireEqualIn(context));
      const { mask } = flows[0];
      const output = mask
        ? builder.apply(selectRows, `${name}.masked`, [builder.batchMajor(mask), product], {})[0]
        : product;
      const outputs: Flow[] = [{ value: output, mask }];
      return called?.returnAttentionScores ? [...outputs, { value: final }] : outputs;
    },
  };
}

/** Query, value and key batch-major; lengths that must agree are checked by the host. */
export function whole(context: LoweringContext, flows: readonly Flow[]): [Value, Value, Value] {
  const [query, value, given] = flows.map((flow) => context.builder.batchMajor(flow.value));
  const key = given ?? value;
  const [steps, keys] = [value.shape[1], key.shape[1]];
  if (String(steps) !== String(keys)) requireEqualIn(context)(steps, keys);
  return [query, value, key];
}

// ------------------------------------------------------------------------------------------------------------ attention

const scalar = (name: string): WeightSpec => ({ name, shape: [], initializer: ones() });

const attentionKind = attending<AttentionConfig & { scoreMode: ScoreMode }>(
  "Attention",
  ({ useScale, scoreMode }) => [
    ...(useScale ? [scalar("scale")] : []),
    ...(scoreMode === "concat" ? [scalar("concat_score_weight")] : []),
  ],
  (context, { useScale, scoreMode }, query, key) => {
    const { builder, name, weights } = context;
    const scaled = (x: Value) => (useScale ? timesScalar(context, "scaled", x, weights[0]) : x);
    if (scoreMode === "dot") {
      // The scale of the query is that of its products, and there are fewer of its numbers.
      return matmul(builder, `${name}.scores`, scaled(query), key, requireEqualIn(context), "b");
    }
    const sum = builder.apply(additiveScores, `${name}.scores`, [scaled(query), scaled(key)], {})[0];
    return timesScalar(context, "weighed", sum, weights.at(-1)!);
  },
);

interface AttentionOptions extends CommonOptions {
  /** A factor of the scores that is trained, one number, 1 at first. Default false; of additiveAttention one for each feature,
   * default true. */
  useScale?: boolean;
  /** Share of the weights set to zero while training, in [0, 1). Default 0. */
  dropout?: number;
  seed?: number | null;
}

/** Scores of each query with each key, softmax over the keys, and with these weights the mean of the values (Luong et al. 2015).
 *
 * `apply([query, value])` or `apply([query, value, key], { mask: [queryMask, valueMask], useCausalMask, returnAttentionScores })`:
 * query (batch, queries, dim), value (batch, keys, width), key (batch, keys, dim), default the value. Gives (batch, queries, width), and
 * with `returnAttentionScores` also the weights (batch, queries, keys). Masked values are not looked at, masked queries give zeros; masks
 * come with the inputs (embedding with maskZero) or by `mask`, and that of the query goes on. Scores: `scoreMode` 'dot' (default)
 * q · k, with `useScale` times a trained `scale`; 'concat' concat_score_weight · Σ tanh(scale · (q + k)).
 * Weights: scale [] with useScale, concat_score_weight [] with 'concat', both 1 at first. Keras: layers.Attention. */
export function attention(options?: { scoreMode?: ScoreMode } & AttentionOptions): Layer {
  const { config, common } = layerOptions("attention", options, {
    useScale: false,
    scoreMode: "dot" as ScoreMode,
    dropout: 0,
    seed: null as number | null,
  });
  const { scoreMode } = config;
  if (!SCORE_MODES.includes(scoreMode)) {
    const hint = suggestion(scoreMode, SCORE_MODES);
    const expected = "'dot' or 'concat'";
    throw new UnreelError({ operation: "attention: scoreMode", expected, got: show(scoreMode), hint });
  }
  return new Layer(attentionKind, { ...config, ...noise("attention", config) }, common) as unknown as Layer;
}

/** Checks what dropout is told. */
export function noise(operation: string, { dropout, seed }: { dropout: number; seed: number | null }) {
  return {
    dropout: inRange(`${operation}: dropout`, dropout, 0, 1),
    seed: seedOr(seed, `${operation}: seed`),
  };
}

// ---------------------------------------------------------------------------------------------------- additiveAttention

const additiveKind = attending<AttentionConfig & { scaleInitializer: Initializer }>(
  "AdditiveAttention",
  ({ useScale, scaleInitializer }, query) =>
    useScale
      ? [
          {
            name: "scale",
            shape: [lastAxis("additiveAttention", query)],
            initializer: scaleInitializer,
          },
        ]
      : [],
  ({ builder, name, weights }, _, query, key) =>
    builder.apply(additiveScores, `${name}.scores`, [query, key, weights[0]], {})[0],
);

/** Attention whose scores are Σ scale · tanh(query + key) (Bahdanau et al. 2015). Inputs, masks, options of `apply` and outputs as those
 * of `attention`. Weights: scale [dim], from glorotUniform, unless useScale is false. Keras: layers.AdditiveAttention. */
export function additiveAttention(options?: AttentionOptions): Layer {
  const { config, common } = layerOptions("additiveAttention", options, {
    useScale: true,
    dropout: 0,
    seed: null as number | null,
  });
  const made = { ...config, ...noise("additiveAttention", config), scaleInitializer: glorotUniform() };
  return new Layer(additiveKind, made, common) as unknown as Layer;
}
