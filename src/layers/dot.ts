// The dot layer: products of two inputs along one axis of each, sample by sample. keras.io/api/layers/merging_layers/dot
// Not here: merges number by number (merge.ts). It passes no mask on, as in Keras.
import { show, UnreelError } from "../errors.js";
import type { Builder } from "../ops/builder.js";
import { arithmetic, elementwise } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import { Size } from "../program/size.js";
import { layerOptions } from "./core.js";
import type { LayerKind } from "./kind.js";
import { type CommonOptions, Layer } from "./layer.js";
import { requireEqualIn } from "./operations/call.js";
import { type Shape, showShape } from "./symbolic.js";
import { broadcast, dim, inOrder, matmul, permute, reduce, reshape } from "./values.js";

interface DotConfig {
  axes: number | readonly [number, number];
  normalize: boolean;
}

/** The axis of each input, counted from the front. */
function places({ axes }: DotConfig, shapes: readonly (readonly unknown[])[]): [number, number] {
  const pair = typeof axes === "number" ? [axes, axes] : axes;
  const [a, b] = pair.map((axis, k) => (axis < 0 ? axis + shapes[k].length : axis));
  return [a, b];
}

/** x / √max(Σx², 1e-14) along an axis: keras.ops.normalize with its epsilon. */
function normalized(builder: Builder, name: string, x: Value, axis: number): Value {
  const times = (a: Value, b: Value) => builder.apply(arithmetic, name, [a, b], { kernel: "multiply" })[0];
  const each = (kind: "maximum" | "power", a: number, of: Value) =>
    builder.apply(elementwise, name, [of], { kind, a })[0];
  const squares = reduce(builder, `${name}.squares`, times(x, x), [axis], "sum", true);
  const factor = each("power", -0.5, each("maximum", 1e-14, squares));
  return times(x, broadcast(builder, name, factor, x.shape, x.timeMajor));
}

/** x as [batch, K, M] or [batch, M, K] with all other axes as M, and which of both it is. */
function matrix(builder: Builder, name: string, x: Value, axis: number) {
  const [batch, ...rest] = x.shape;
  const others = rest.filter((_, index) => index + 1 !== axis);
  const isFirst = axis === 1;
  const isLast = axis === rest.length;
  const order = [0, axis, ...rest.flatMap((_, index) => (index + 1 === axis ? [] : [index + 1]))];
  const lies = isFirst || isLast ? inOrder(builder, x, false) : permute(builder, name, x, order);
  const K = x.shape[axis];
  const M = others.reduce<Size>((product, d) => product.times(d), Size.of(1));
  const shape = isLast && !isFirst ? [batch, dim(M), K] : [batch, K, dim(M)];
  return { value: reshape(builder, name, lies, shape), others, reducesFirst: !(isLast && !isFirst) };
}

const dotKind: LayerKind<DotConfig> = {
  className: "Dot",
  merges: true,
  ranks: [2, Number.POSITIVE_INFINITY],

  check(config, inputs) {
    if (inputs.length !== 2) {
      const got = `${inputs.length}`;
      throw new UnreelError({ operation: "dot", expected: "2 inputs", got, hint: "apply([a, b])" });
    }
    const axes = places(config, inputs);
    const sizes = axes.map((axis, k) => {
      if (axis > 0 && axis < inputs[k].length) return inputs[k][axis];
      const expected = `an axis of ${showShape(inputs[k])} behind the batch`;
      throw new UnreelError({ operation: "dot: axes", expected, got: show(config.axes) });
    });
    if (sizes[0] === sizes[1] || sizes.includes(null)) return;
    const expected = "axes of one size";
    throw new UnreelError({ operation: "dot", expected, got: `${sizes[0]} and ${sizes[1]}` });
  },

  outputs(config, inputs) {
    const axes = places(config, inputs);
    const [a, b] = inputs.map((shape, k): Shape => shape.filter((_, axis) => axis !== axes[k]));
    const shape = [...a, ...b.slice(1)];
    return [shape.length === 1 ? [...shape, 1] : shape];
  },

  mixesTime: () => "it multiplies whole inputs",

  lower(context, config, flows) {
    const { builder, name } = context;
    const axes = places(
      config,
      flows.map(({ value }) => value.shape),
    );
    const [a, b] = flows.map(({ value }, k) =>
      matrix(builder, name, config.normalize ? normalized(builder, name, value, axes[k]) : value, axes[k]),
    );
    // The product wants a as [M, K] and b as [K, N]; one of them may lie turned.
    let left = a.value;
    let turned: "none" | "a" | "b" = a.reducesFirst ? "a" : "none";
    if (!b.reducesFirst) {
      if (a.reducesFirst) left = permute(builder, name, left, [0, 2, 1]);
      turned = "b";
    }
    const product = matmul(builder, name, left, b.value, requireEqualIn(context), turned);
    const shape = [product.shape[0], ...a.others, ...b.others];
    return [{ value: reshape(builder, name, product, shape.length === 1 ? [...shape, 1] : shape) }];
  },
};

/** Products of two inputs along `axes`, one axis or one of each input; `normalize`: of vectors of length 1 along it.
 * Keras: layers.Dot. */
export function dot(
  options: { axes: number | readonly [number, number]; normalize?: boolean } & CommonOptions,
): Layer {
  const { config, common } = layerOptions("dot", options, {
    axes: undefined as unknown as DotConfig["axes"],
    normalize: false,
  });
  const axes = [config.axes].flat();
  const isPair = Array.isArray(config.axes) ? axes.length === 2 : axes.length === 1;
  if (!isPair || !axes.every(Number.isSafeInteger)) {
    const expected = "an axis, or one for each of two inputs";
    throw new UnreelError({ operation: "dot: axes", expected, got: show(config.axes) });
  }
  return new Layer(dotKind, config, common) as unknown as Layer;
}
