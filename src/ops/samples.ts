// Whether samples of a batch meet in an op, so that the batch cannot be computed in parts. B is the number of samples: where a shape
// has it, it belongs to the first axis.
import { type Dim, quotientOf, Size } from "../program/size.js";
import type { Node, Value } from "./op.js";

/** The run-time dimension that counts the samples of a batch, or of the part that is computed. */
export const SAMPLES = "B";
/** How many samples of the batch stand before those of the part. */
export const FIRST_SAMPLE = "B0";

/** Whether a dimension grows with the number of samples. */
export function hasSamples(dim: Dim): boolean {
  const names = [...Size.of(dim).terms.keys()].flatMap((key) => key.split("*"));
  return names.some((name) => name === SAMPLES || hasSamples(quotientOf(name)?.numerator ?? 0));
}

const isShared = ({ shape }: Value) => !shape.some(hasSamples);

/** The first axis is samples, or several numbers of each; all other axes are alike for every batch. */
function liesBySample({ shape: [first, ...rest] }: Value): boolean {
  const keys = [...Size.of(first ?? 1).terms.keys()];
  return keys.every((key) => key.split("*").includes(SAMPLES)) && !rest.some(hasSamples);
}

/** Whether an op needs all samples at once: by its own word, or because its values do not lie sample by sample. */
export function mixesSamples({
  op,
  inputs,
  outputs,
  attributes,
}: Pick<Node, "op" | "inputs" | "outputs" | "attributes">): boolean {
  if (op.mixesSamples) return op.mixesSamples(inputs, attributes);
  if (inputs.every((input) => !input || isShared(input)))
    return !outputs.every((out) => isShared(out) || liesBySample(out));
  return !outputs.every(liesBySample);
}
