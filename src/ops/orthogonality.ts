// A penalty on vectors that are not orthogonal: factor · mean |uᵢ·uⱼ| over pairs of different vectors of length one, / samples.
// x [R, C]: its rows are the vectors, or its columns. N vectors; products [N, N].
import { type Dim, Size } from "../program/size.js";
import { columns, count, type Op, rows, type Value } from "./op.js";

/** The vectors of x as the kernels see them: outer, n, inner. */
function layout(x: Value, mode: "rows" | "columns"): [Size, Size, Size] {
  const [R, C, one] = [rows(x), Size.of(columns(x)), Size.of(1)];
  return mode === "rows" ? [R, C, one] : [one, R, C];
}

export const orthogonality: Op<{ factor: number; mode: "rows" | "columns"; samples: Dim }> = {
  name: "orthogonality",

  outputs() {
    return [{ shape: [1] }];
  },

  forward(e, { name, inputs: [x], outputs: [out], attributes: { factor, mode, samples }, saved }) {
    const [R, C] = [rows(x!), columns(x!)];
    const N = mode === "rows" ? R : Size.of(C);
    saved.unit = e.allocate(`${name}.unit`, count(x!).times(4));
    saved.products = e.allocate(`${name}.products`, N.times(N).times(4));
    const { unit, products } = saved;
    e.call("unitVectors", unit, x!, ...layout(x!, mode));
    if (mode === "rows") e.call("gemmNT", products, R, unit, C, unit, C, 0, R, R, C, 0, e.gemmScratch());
    else e.call("gemmTN", products, C, unit, C, unit, C, 0, C, C, R, 0, e.gemmScratch());
    e.call("fill", out, 0, 1);
    e.call("orthogonality", out, products, factor, Size.of(samples), N);
  },

  backward(e, { name, inputs: [x], outputs: [out], attributes: { factor, mode, samples }, saved }) {
    const { unit, products } = saved;
    const [R, C] = [rows(x!), columns(x!)];
    const N = mode === "rows" ? R : Size.of(C);
    const dproducts = e.temporary(`d${name}.products`, N.times(N).times(4));
    const dunit = e.temporary(`d${name}.unit`, count(x!).times(4));
    e.call("fill", dproducts, 0, N.times(N));
    e.call("orthogonalityBackward", dproducts, e.gradientOf(out)!, products, factor, Size.of(samples), N);
    if (mode === "rows") e.call("gemmNN", dunit, C, dproducts, R, unit, C, 0, R, C, R, 0, e.gemmScratch());
    else e.call("gemmNN", dunit, C, unit, C, dproducts, C, 0, R, C, C, 0, e.gemmScratch());
    e.call("unitVectorsBackward", e.gradient(x!), dunit, unit, x!, ...layout(x!, mode));
  },
};
