// Layers of Keras and TensorFlow.js that are one activation (ReLU, LeakyReLU, ELU, Softmax, …): those that layers.activation has.
// keras/src/layers/activations, tfjs-layers/src/layers/advanced_activations.ts
import { UnreelError } from "../../errors.js";
import { activation } from "../../layers/core.js";
import { type CommonOptions, Layer } from "../../layers/layer.js";
import { shown } from "../place.js";

type Options = Readonly<Record<string, unknown>>;

/** The activation that a layer of such options is; else what it would have to be. */
type Rule = (options: Options) => { readonly name: string } | { readonly only: string };

const near = (given: unknown, value: number) => typeof given === "number" && Math.abs(given - value) < 1e-6;
const none = (given: unknown) => given === undefined || given === null || given === 0;

const RULES: Readonly<Record<string, Rule>> = {
  ReLU({ maxValue, negativeSlope, threshold }) {
    const isOpen = maxValue === undefined || maxValue === null;
    if (none(threshold) && none(negativeSlope) && isOpen) return { name: "relu" };
    if (none(threshold) && none(negativeSlope) && near(maxValue, 6)) return { name: "relu6" };
    if (none(threshold) && near(negativeSlope, 0.2) && isOpen) return { name: "leakyRelu" };
    return { only: "relu, relu6, or a negative_slope of 0.2, without a threshold" };
  },
  LeakyReLU({ negativeSlope, alpha = negativeSlope ?? 0.3 }) {
    return near(alpha, 0.2) ? { name: "leakyRelu" } : { only: "a negative_slope of 0.2" };
  },
  ELU({ alpha = 1 }) {
    return near(alpha, 1) ? { name: "elu" } : { only: "alpha 1" };
  },
  ThresholdedReLU({ theta = 1 }) {
    return theta === 0 ? { name: "relu" } : { only: "theta 0" };
  },
  Softmax: () => ({ name: "softmax" }),
};

export function isActivationLayer(className: string): boolean {
  return Object.hasOwn(RULES, className);
}

/** The layer of such a class. */
export function readActivationLayer(
  place: string,
  className: string,
  options: Options,
  common: CommonOptions,
): Layer {
  const found = RULES[className](options);
  if ("only" in found) {
    const given = Object.entries(options).map(([name, value]) => `${name} ${shown(value)}`);
    const hint = "layers.activation has no other. In Python: put the function into a layer that has it.";
    throw new UnreelError({ operation: place, expected: found.only, got: given.join(", ") || "none", hint });
  }
  const layer = activation({ activation: found.name, ...common });
  return className === "Softmax" ? overLast(place, layer, options.axis ?? -1, common) : layer;
}

/** The same; refused where it is applied to something whose last axis this is not. */
function overLast(place: string, { kind, config }: Layer, given: unknown, common: CommonOptions): Layer {
  const [axis, ...others] = Array.isArray(given) ? given : [given];
  const checked = {
    ...kind,
    check(_: object, [shape]: readonly (readonly unknown[])[]) {
      if (others.length === 0 && (axis === -1 || axis === shape.length - 1)) return;
      const expected = `the last axis, -1 or ${shape.length - 1}`;
      throw new UnreelError({ operation: `${place}: axis`, expected, got: shown(given) });
    },
  };
  return new Layer(checked, config, common) as unknown as Layer;
}
