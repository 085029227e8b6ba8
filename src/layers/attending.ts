// What attention layers take in `apply` besides their inputs: masks by name, whether keys behind a query are seen, whether scores are
// returned. Not here: what is done with it (attentionWeights.ts).
import { show, UnreelError } from "../errors.js";
import type { LayerKind } from "./kind.js";
import type { ApplyOptions } from "./layer.js";
import { type Attending, type Shape, SymbolicTensor, showShape } from "./symbolic.js";

type Kind = Pick<LayerKind<never>, "attends">;

const FLAGS = { useCausalMask: false, returnAttentionScores: false };
const BY_NAME = { attentionMask: undefined, valueMask: undefined, keyMask: undefined };

/** The options of `apply` that a kind has of its own. */
export function attendingDefaults({ attends }: Kind, given: object): Partial<ApplyOptions> {
  if (!attends) return {};
  if (attends === "named") {
    for (const [name, hint] of Object.entries(ELSEWHERE)) {
      if ((given as Record<string, unknown> | null)?.[name] === undefined) continue;
      const expected = "options of multiHeadAttention: attentionMask, valueMask, keyMask";
      throw new UnreelError({ operation: `multiHeadAttention: apply: ${name}`, expected, got: name, hint });
    }
  }
  return attends === "named" ? { ...FLAGS, ...BY_NAME } : FLAGS;
}

/** What Keras' layer has no place for, or reads and forgets. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  mask: "Give the mask of the keys as valueMask.",
  queryMask:
    "Keras takes the mask of the query from the query alone (embedding with maskZero, masking); other rows are masked by attentionMask.",
};

/** Reads these options; undefined for a layer that is none of attention. */
export function readAttending(
  layer: string,
  { attends }: Kind,
  given: ApplyOptions,
  shapes: readonly Shape[],
): Attending | undefined {
  if (!attends) return undefined;
  const { attentionMask, useCausalMask = false, returnAttentionScores = false } = given;
  const masks = attends === "list" ? masksOf(layer, given.mask) : [undefined, given.valueMask, given.keyMask];
  const names = attends === "list" ? ["mask[0]", "mask[1]"] : ["", "valueMask", "keyMask"];
  masks.forEach((mask, k) => {
    if (mask) checkMask(layer, mask, shapes[k] ?? shapes[1] ?? shapes[0], names[k]);
  });
  if (attentionMask !== undefined) checkAttentionMask(layer, attentionMask, shapes);
  return { masks, attentionMask, useCausalMask, returnAttentionScores };
}

/** The same as `apply` takes them, for tensors of another graph. */
export function attendingOptions(
  { attends }: Kind,
  { masks, attentionMask, ...flags }: Attending,
  tensor: (each: SymbolicTensor) => SymbolicTensor,
): ApplyOptions {
  const [query, value, key] = masks.map((mask) => (mask ? tensor(mask) : mask));
  if (attends === "list") return value === undefined ? flags : { ...flags, mask: [query ?? null, value] };
  return {
    ...flags,
    valueMask: value ?? undefined,
    keyMask: key ?? undefined,
    attentionMask: attentionMask && tensor(attentionMask),
  };
}

function masksOf(layer: string, mask: ApplyOptions["mask"]): Attending["masks"] {
  if (mask === undefined) return [];
  const fits = (each: unknown) => each === null || each instanceof SymbolicTensor;
  if (Array.isArray(mask) && mask.length === 2 && mask.every(fits)) return mask;
  throw new UnreelError({
    operation: `${layer}: apply: mask`,
    expected: "[queryMask, valueMask], symbolic tensors or null",
    got: Array.isArray(mask) ? `${mask.length}: ${mask.map(show).join(", ")}` : show(mask),
    hint: "A key has no mask of its own: its steps are those of the value.",
  });
}

const fits = (a: number | null, b: number | null) => a === null || b === null || a === b;

/** A mask of the steps of an input. */
export function checkMask(
  layer: string,
  mask: unknown,
  [batch, time]: Shape,
  name = "mask",
): asserts mask is SymbolicTensor {
  const isMask = mask instanceof SymbolicTensor && mask.shape.length === 2;
  if (isMask && fits(mask.shape[0], batch) && fits(mask.shape[1], time)) return;
  const got = mask instanceof SymbolicTensor ? showShape(mask.shape) : show(mask);
  const expected = `a symbolic tensor of shape ${showShape([batch, time])}, non-zero = keep`;
  throw new UnreelError({ operation: `${layer}: apply: ${name}`, expected, got });
}

function checkAttentionMask(layer: string, mask: unknown, [query, value = query]: readonly Shape[]): void {
  const wanted = [query[1], value[1]];
  const isMask = mask instanceof SymbolicTensor && (mask.shape.length === 3 || mask.shape.length === 4);
  if (isMask && mask.shape.slice(-2).every((d, k) => d === 1 || fits(d, wanted[k]))) return;
  throw new UnreelError({
    operation: `${layer}: apply: attentionMask`,
    expected: `a symbolic tensor of shape ${showShape([query[0], ...wanted])}, or with the heads behind the batch, non-zero = may see`,
    got: mask instanceof SymbolicTensor ? showShape(mask.shape) : show(mask),
  });
}
