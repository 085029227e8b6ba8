// Embedding: ids to rows of a trained table. keras.io/api/layers/core_layers/embedding
import { positiveInteger, UnreelError } from "../errors.js";
import { embedding as embeddingOp } from "../ops/index.js";
import { layerOptions } from "./core.js";
import type { Initializer, InitializerLike } from "./initializers.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { type LimitConfig, type LimitOptions, limitsOf, noLimits, resolveLimits } from "./limits.js";
import type { Regularizer, RegularizerLike } from "./regularizers.js";
import { resolveInitializer } from "./resolveInitializer.js";

export interface EmbeddingConfig extends LimitConfig<"embeddings"> {
  inputDim: number;
  outputDim: number;
  embeddingsInitializer: Initializer;
  activityRegularizer: Regularizer | null;
  maskZero: boolean;
}

export const embeddingKind: LayerKind<EmbeddingConfig> = {
  className: "Embedding",
  inputDtype: "int32",

  weights: ({ inputDim, outputDim, ...config }) => [
    {
      name: "embeddings",
      shape: [inputDim, outputDim],
      initializer: config.embeddingsInitializer,
      ...limitsOf("embeddings", config),
    },
  ],

  outputs: ({ outputDim }, [shape]) => [[...shape, outputDim]],

  lower({ builder, name, weights: [table] }, { maskZero, inputDim }, [input]) {
    if (!input.integers) {
      const hint = "Give ids to the model as an input of their own.";
      throw new UnreelError({
        operation: name,
        expected: "ids straight from an input",
        got: input.value.name,
        hint,
      });
    }
    const value = input.integers(inputDim);
    // Sequences of ids turn time-major here, where it costs a word a step instead of a vector.
    const ids = value.shape.length === 2 ? builder.timeMajor(value) : value;
    const [out] = builder.apply(embeddingOp, name, [ids, table], {});
    return [maskZero ? { value: out, mask: ids } : { value: out }];
  },
};

interface EmbeddingOptions extends CommonOptions, LimitOptions<"embeddings"> {
  inputDim: number;
  outputDim: number;
  embeddingsInitializer?: InitializerLike;
  /** Penalty on the vectors that are looked up, padding included. */
  activityRegularizer?: RegularizerLike | null;
  maskZero?: boolean;
}

/** Rows of a table [inputDim, outputDim] by id in [0, inputDim). With `maskZero`, id 0 is padding.
 *
 * A training step costs what its ids cost, whatever inputDim is, with the optimizers sgd (without momentum), rmsprop (without momentum,
 * not centered), adagrad and adadelta. With sgd's momentum, adam, adamw, nadam, adamax and lion it costs one pass over the table, because
 * these move rows whose ids are not there; so it does with weightDecay or embeddingsConstraint, and with embeddingsRegularizer, whose
 * gradient every row has. Keras: layers.Embedding. */
export function embedding(options: EmbeddingOptions): Layer {
  const { config, common } = layerOptions("embedding", options, {
    inputDim: undefined as unknown as number,
    outputDim: undefined as unknown as number,
    embeddingsInitializer: "randomUniform" as InitializerLike,
    ...noLimits("embeddings"),
    activityRegularizer: null as RegularizerLike | null,
    maskZero: false,
  });
  return new Layer(
    embeddingKind,
    {
      ...resolveLimits("embedding", config),
      inputDim: positiveInteger("embedding: inputDim", config.inputDim, "The number of different ids."),
      outputDim: positiveInteger("embedding: outputDim", config.outputDim),
      embeddingsInitializer: resolveInitializer(
        "embedding: embeddingsInitializer",
        config.embeddingsInitializer,
      ),
    },
    common,
  ) as unknown as Layer;
}
