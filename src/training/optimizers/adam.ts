// `optimizers.adam` and `optimizers.adamw`
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { power } from "../../numerics.js";
import { type Common, checkNumbers, common, Optimizer } from "./optimizer.js";

interface AdamOptions extends Common {
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  amsgrad?: boolean;
}

const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false, ...common(0.001) };

function make(className: string, operation: string, config: Required<AdamOptions>): Optimizer {
  const { beta1, beta2, epsilon, amsgrad } = config;
  checkNumbers(operation, { beta1, beta2, epsilon });
  return new Optimizer(
    {
      className,
      slots: ["momentum", "velocity", ...(amsgrad ? ["velocity_hat"] : [])],
      update: (emit, { weight, gradient, slots: [m, v, vhat = 0], size }, hyper) =>
        emit("adam", weight, m, v, vhat, gradient, size, hyper, beta1, beta2, epsilon),
      settings: (step, learningRate) => [
        (learningRate * Math.sqrt(1 - power(beta2, step))) / (1 - power(beta1, step)),
      ],
    },
    config,
  );
}

/** Running means of gradients and their squares, both corrected for their start (Kingma & Ba 2015). Defaults: learningRate
 * 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7, amsgrad false. Keras: optimizers.Adam. */
export function adam(options: AdamOptions = {}): Optimizer {
  const operation = "optimizers.adam";
  return make("Adam", operation, readOptions(operation, options, defaults));
}

/** Adam with decay of the weights apart from their gradients (Loshchilov & Hutter 2019). Defaults: as adam, weightDecay 0.004.
 * Keras: optimizers.AdamW. */
export function adamw(options: AdamOptions & { weightDecay?: number } = {}): Optimizer {
  const operation = "optimizers.adamw";
  const config = readOptions(operation, options, { ...defaults, weightDecay: 0.004 });
  if (config.weightDecay === null) {
    const got = show(config.weightDecay);
    throw new UnreelError({ operation: `${operation}: weightDecay`, expected: "a number", got });
  }
  return make("AdamW", operation, config);
}
