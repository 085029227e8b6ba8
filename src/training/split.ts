// Validation data cut off from the data of a training.
import { show, UnreelError } from "../errors.js";
import { Tensor } from "../tensor.js";
import type { DataSet } from "./step.js";

/** Cuts the last share off as validation data, before any shuffling, as Keras does. */
export function splitValidation(data: DataSet, share: number): { data: DataSet; validation: DataSet } {
  if (!(typeof share === "number" && share >= 0 && share < 1)) {
    throw new UnreelError({
      operation: "fit: validationSplit",
      expected: "a number in [0, 1)",
      got: show(share),
    });
  }
  const kept = Math.floor(data.samples * (1 - share));
  if (kept === 0 || kept === data.samples) {
    const got = `${kept} and ${data.samples - kept} of ${data.samples}`;
    throw new UnreelError({ operation: "fit: validationSplit", expected: "samples on both sides", got });
  }
  return { data: slice(data, 0, kept), validation: slice(data, kept, data.samples) };
}

function slice(data: DataSet, from: number, to: number): DataSet {
  const part = <T extends Tensor | undefined>(whole: T) => {
    if (!whole) return whole;
    const row = whole.size / whole.shape[0];
    return new Tensor(whole.data.subarray(from * row, to * row), [to - from, ...whole.shape.slice(1)]);
  };
  return {
    inputs: data.inputs.map((each) => part(each)!),
    targets: data.targets?.map((each) => part(each)),
    weights: data.weights?.map((each) => part(each)),
    samples: to - from,
  };
}
