// From scores of attention to its weights: masks put together, softmax, dropout. Shapes: scores (batch, queries, keys), with the heads
// behind the batch where there are several.
import { UnreelError } from "../errors.js";
import { FARTHEST } from "../ops/band.js";
import { band, bothKept, dropout, keepScores, softmax } from "../ops/index.js";
import type { Value } from "../ops/op.js";
import type { Dim } from "../program/size.js";
import { Size } from "../program/size.js";
import type { LoweringContext } from "./kind.js";
import { requireEqualIn } from "./operations/call.js";
import { randomStream } from "./recurrence.js";
import { broadcast, reshape } from "./values.js";

/** What hides keys from queries; everything that is given must let a key be seen. */
export interface ScoreMasks {
  /** Steps of the keys that are kept, (batch, keys). */
  readonly keys?: readonly (Value | undefined)[];
  /** Steps of the query that are kept, (batch, queries). */
  readonly query?: Value;
  /** (batch, queries, keys) or (batch, heads, queries, keys), axes of size 1 at will. */
  readonly attention?: Value;
  /** Keys at most so many places before a query, and behind it. */
  readonly near?: { readonly before?: number; readonly after?: number };
}

/** A mask and how many of its axes stand before those of the scores that it leaves out. */
interface Joint {
  readonly mask: Value;
  readonly leading: number;
}

const isOne = (d: Dim): boolean => Size.of(d).constant === 1;

/** One mask of all, in the smallest form that tells it; undefined where nothing is hidden. */
export function jointMask(context: LoweringContext, scores: Value, masks: ScoreMasks): Joint | undefined {
  const { builder, name } = context;
  const maskName = `${name}.mask`;
  const [batch, T, S] = [scores.shape[0], ...scores.shape.slice(-2)];
  const equal = requireEqualIn(context);
  /** The same numbers in axes that broadcasting makes agree. */
  const grown = (mask: Value, shape: readonly Dim[]): Value => {
    mask.shape.forEach((d, axis) => {
      if (!isOne(d) && String(d) !== String(shape[axis])) equal(d, shape[axis]);
    });
    return broadcast(builder, maskName, builder.batchMajor(mask), shape, false);
  };
  const both = (a: Value, b: Value): Value => builder.apply(bothKept, maskName, [a, b], {})[0];

  const keys = masks.keys?.flatMap((mask) => (mask ? [mask] : [])) ?? [];
  const distinct = keys.filter((mask, k) => keys.findIndex(({ root }) => root === mask.root) === k);
  const rows = distinct.map((mask) => grown(mask, [batch, S]));
  const grids: Value[] = [];
  if (masks.near) {
    const { before = FARTHEST, after = FARTHEST } = masks.near;
    grids.push(builder.apply(band, `${name}.near`, [], { shape: [T, S], before, after })[0]);
  }
  let whole: Value | undefined;
  const { attention, query } = masks;
  if (attention && attention.shape.length === 4 && !isOne(attention.shape[1])) {
    if (rows.length > 0 || query) {
      throw new UnreelError({
        operation: `${name}: apply: attentionMask`,
        expected: "(batch, queries, keys), where the inputs have masks too",
        got: "one with an axis of heads",
        hint: "Keras cannot put the two together either.",
      });
    }
    whole = grown(attention, scores.shape);
  } else if (attention) {
    const [first, second, third] = [attention.shape[0], ...attention.shape.slice(-2)];
    const flat = reshape(builder, maskName, builder.batchMajor(attention), [first, second, third]);
    if (isOne(second)) rows.push(grown(reshape(builder, maskName, flat, [first, third]), [batch, S]));
    else whole = grown(flat, [batch, T, S]);
  }

  const row = rows.length > 0 ? rows.reduce(both) : undefined;
  if (!query && !whole) {
    if (row && grids.length === 0) return { mask: row, leading: 1 };
    if (!row && grids.length === 1) return { mask: grids[0], leading: 0 };
    if (!row) return undefined;
  }
  const full = whole?.shape ?? [batch, T, S];
  const parts = [
    ...(row ? [grown(reshape(builder, maskName, row, [batch, 1, S]), full)] : []),
    ...(query ? [grown(reshape(builder, maskName, builder.batchMajor(query), [batch, T, 1]), full)] : []),
    ...(whole ? [whole] : []),
    ...grids.map((grid) => {
      const ones = full.slice(0, -2).map(() => 1);
      return grown(reshape(builder, maskName, grid, [...ones, T, S]), full);
    }),
  ];
  return { mask: parts.reduce(both), leading: full.length === 4 ? 0 : 1 };
}

/** What becomes of scores that are hidden: `shift` adds the number to them, else it takes their place; `clear` sets their weights to 0,
 * also those of a query to which all keys are hidden, and which otherwise sees all alike. */
export interface Hiding {
  readonly value: number;
  readonly shift?: boolean;
  readonly clear?: boolean;
}

/** softmax over the keys. */
export function weightsOf(
  { builder, name }: LoweringContext,
  scores: Value,
  joint: Joint | undefined,
  { value, shift = false, clear = false }: Hiding,
): Value {
  const seen = joint
    ? builder.apply(keepScores, `${name}.seen`, [scores, joint.mask], {
        value,
        shift,
        leading: joint.leading,
      })[0]
    : scores;
  const [weights] = builder.apply(softmax, `${name}.weights`, [seen], { logarithm: false });
  if (!joint || !clear) return weights;
  const options = { value: 0, shift: false, leading: joint.leading };
  return builder.apply(keepScores, `${name}.cleared`, [weights, joint.mask], options)[0];
}

/** Weights after dropout, while training. */
export function dropped(context: LoweringContext, weights: Value, rate: number, seed: number): Value {
  if (!context.training || rate === 0) return weights;
  const { builder, name } = context;
  return builder.apply(dropout, `${name}.dropout`, [weights], { rate, ...randomStream(context, seed) })[0];
}
