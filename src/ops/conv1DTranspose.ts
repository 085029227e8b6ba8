// The way back of a convolution as a layer of its own: x [B, T, C], kernel [k, F, C], bias [F], out [B, steps, F]; step t of x adds
// to the steps of out from t·stride on, `dilation` apart. Steps that none reaches hold the bias. The kernels are those of conv1D
// with x and out in each other's place.
import { type Dim, Size } from "../program/size.js";
import { extent, packedScratch } from "./conv1D.js";
import { count, type Op, rows } from "./op.js";
import { type Moves, windowsIn } from "./windows.js";

interface Attributes extends Moves {
  /** Steps of the output: at least those that are reached. */
  readonly steps: Dim;
}

export const conv1DTranspose: Op<Attributes> = {
  name: "conv1DTranspose",

  flops: ({ inputs: [x, kernel] }) =>
    count(x!)
      .times(Size.product(kernel!.shape.slice(0, 2)))
      .times(2),

  outputs([x, kernel], { steps }) {
    return [{ shape: [x!.shape[0], steps, kernel!.shape[1]], timeMajor: x!.timeMajor }];
  },

  forward(e, { inputs: [x, kernel, bias], outputs: [out], attributes }) {
    const [k, F, C] = extent(kernel!, 1);
    if (bias) e.call("expandAxis", out, bias, 1, rows(out), F, 0, 0);
    else e.call("fill", out, 0, count(out));
    const windows = windowsIn(out, x!.shape[1], attributes);
    e.call("conv1DInput", out, x!, kernel!, ...windows, k, F, C, 1, packedScratch(e, k, C, F));
  },

  backward(e, { inputs: [x, kernel, bias], outputs: [out], attributes }) {
    const [k, F, C] = extent(kernel!, 1);
    const sizes = [...windowsIn(out, x!.shape[1], attributes), k, F, C, 1] as const;
    const dout = e.gradientOf(out)!;
    if (e.wants(kernel)) e.call("conv1DKernel", e.gradient(kernel), dout, x!, ...sizes, e.gemmScratch());
    if (e.wants(bias)) e.call("sumColumns", e.gradient(bias), dout, rows(out), F);
    if (e.wants(x)) {
      const { pointer, accumulate } = e.accumulator(x);
      e.call("conv1D", pointer, dout, kernel!, 0, ...sizes, accumulate, packedScratch(e, k, F, C));
    }
  },
};
