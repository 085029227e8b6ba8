// Scores of attention where a mask keeps them, and a number elsewhere, or with `shift` the score and that number together.
// scores [B, …, T, S], batch-major; mask int32 of one of the forms [B, …, T, S], [B, T, S], [B, S] and [T, S], read again for what it leaves
// out. Through a score that is shifted the gradient flows, as it does in Keras, and through one that is replaced none does.
import { Size } from "../program/size.js";
import { count, type Op, type Value } from "./op.js";

interface Attributes {
  readonly value: number;
  readonly shift: boolean;
  /** How many of the mask's axes stand before those that it leaves out. */
  readonly leading: number;
}

/** scores [outer, repeats, inner], mask [outer, inner] */
function extent(scores: Value, mask: Value, { leading }: Attributes): [Size, Size, Size] {
  const inner = mask.shape.length - leading;
  return [
    Size.product(mask.shape.slice(0, leading)),
    Size.product(scores.shape.slice(leading, scores.shape.length - inner)),
    Size.product(mask.shape.slice(leading)),
  ];
}

export const keepScores: Op<Attributes> = {
  name: "keepScores",

  outputs([scores]) {
    return [{ shape: scores!.shape }];
  },

  forward(e, { inputs: [scores, mask], outputs: [out], attributes }) {
    const { value, shift } = attributes;
    e.call("keepScores", out, scores!, mask!, value, shift ? 1 : 0, ...extent(scores!, mask!, attributes));
  },

  backward(e, { inputs: [scores, mask], outputs: [out], attributes }) {
    const [dx, dout] = [e.gradient(scores!), e.gradientOf(out)!];
    if (attributes.shift) e.call("accumulate", dx, dout, count(out));
    else e.call("keepScoresBackward", dx, dout, mask!, ...extent(scores!, mask!, attributes));
  },
};
