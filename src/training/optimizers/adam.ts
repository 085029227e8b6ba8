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
      kernel: "adam",
      states: ([m, v, vhat]) => [m, v, vhat],
      numbers: [beta1, beta2, epsilon, 0],
      idle: "changes",
      settings: (step, learningRate) => [
        (learningRate * Math.sqrt(1 - power(beta2, step))) / (1 - power(beta1, step)),
      ],
    },
    config,
  );
}

/** Running means of gradients and their squares, both corrected for their start (Kingma & Ba 2015). Defaults: learningRate
 * 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7, amsgrad false. Its momentum moves every row of an embedding at every step: a step costs what
 * the table costs. Keras: optimizers.Adam. */
export function adam(options: AdamOptions = {}): Optimizer {
  const operation = "optimizers.adam";
  return make("Adam", operation, readOptions(operation, options, defaults));
}

/** Adam with decay of the weights apart from their gradients (Loshchilov & Hutter 2019). Defaults: as adam, weightDecay 0.004.
 * A step of an embedding costs what its table costs, as with adam. Keras: optimizers.AdamW. */
export function adamw(options: AdamOptions & { weightDecay?: number } = {}): Optimizer {
  const operation = "optimizers.adamw";
  const config = readOptions(operation, options, { ...defaults, weightDecay: 0.004 });
  if (config.weightDecay === null) {
    const got = show(config.weightDecay);
    throw new UnreelError({ operation: `${operation}: weightDecay`, expected: "a number", got });
  }
  return make("AdamW", operation, config);
}
