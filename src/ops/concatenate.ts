// Values side by side along one axis; all other axes agree. Any memory order that all share, where the axis is not time.
import { Size } from "../program/size.js";
import { type Op, shifted, type Value } from "./op.js";

/** How often a block of each value comes, and the sizes of the blocks: in memory, the axes from `axis` on stay together. */
function blocks(inputs: readonly (Value | undefined)[], out: Value, axis: number) {
  const inner = ({ shape }: Value) => Size.product(shape.slice(axis));
  let offset = Size.zero;
  const parts = inputs.map((value) => {
    const part = { value: value!, columns: inner(value!), offset };
    offset = offset.plus(part.columns.times(4));
    return part;
  });
  return { rows: Size.product(out.shape.slice(0, axis)), stride: inner(out), parts };
}

export const concatenate: Op<{ axis: number }> = {
  name: "concatenate",

  mixesSamples: (_, { axis }) => axis === 0,

  outputs(inputs, { axis }) {
    const [first] = inputs;
    const sum = inputs.reduce((total, value) => total.plus(value!.shape[axis]), Size.zero);
    const shape = first!.shape.map((d, index) => (index === axis ? (sum.constant ?? sum) : d));
    return [{ shape, dtype: first!.dtype, timeMajor: first!.timeMajor }];
  },

  forward(e, { inputs, outputs: [out], attributes: { axis } }) {
    const { rows, stride, parts } = blocks(inputs, out, axis);
    for (const { value, columns, offset } of parts) {
      e.call("copyColumns", shifted(out.pointer, offset), stride, value, columns, rows, columns);
    }
  },

  backward(e, { inputs, outputs: [out], attributes: { axis } }) {
    const { rows, stride, parts } = blocks(inputs, out, axis);
    const dout = e.gradientOf(out)!;
    for (const { value, columns, offset } of parts) {
      if (!e.wants(value)) continue;
      e.call("accumulateColumns", e.gradient(value), columns, shifted(dout, offset), stride, rows, columns);
    }
  },
};
