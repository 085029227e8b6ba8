// What keeps weights and outputs small, as layers take it: options named `…Regularizer` and `…Constraint`, by object or by Keras' name.
import { show, UnreelError } from "../errors.js";
import {
  type Constraint,
  type ConstraintLike,
  maxNorm,
  minMaxNorm,
  nonNeg,
  unitNorm,
} from "./constraints.js";
import { lookUp } from "./options.js";
import {
  l1,
  l1l2,
  l2,
  orthogonalRegularizer,
  type Regularizer,
  type RegularizerLike,
} from "./regularizers.js";

/** The options of a layer whose weights are so called (`kernel`: kernelRegularizer, kernelConstraint), as a user gives them. */
export type LimitOptions<W extends string> = { [K in `${W}Regularizer`]?: RegularizerLike | null } & {
  [K in `${W}Constraint`]?: ConstraintLike | null;
};

/** The same in a layer's config. */
export type LimitConfig<W extends string> = { [K in `${W}Regularizer`]: Regularizer | null } & {
  [K in `${W}Constraint`]: Constraint | null;
};

/** Defaults of these options: none. */
export function noLimits<W extends string>(...weights: readonly W[]): Required<LimitOptions<W>> {
  const none = weights.flatMap((weight) => [
    [`${weight}Regularizer`, null],
    [`${weight}Constraint`, null],
  ]);
  return Object.fromEntries(none) as Required<LimitOptions<W>>;
}

type Resolved<C> = {
  [K in keyof C]: K extends `${string}Regularizer`
    ? Regularizer | null
    : K extends `${string}Constraint`
      ? Constraint | null
      : C[K];
};

const REGULARIZERS: Readonly<Record<string, () => Regularizer>> = { l1, l2, l1l2, orthogonalRegularizer };

/** A regularizer by object or by Keras' name; null for none. */
function resolveRegularizer(operation: string, given: RegularizerLike | null): Regularizer | null {
  if (typeof given === "string") return lookUp(operation, given, REGULARIZERS, { l1l2: "l1l2" })();
  if (given === null || typeof given?.penalty === "function") return given;
  throw new UnreelError({
    operation,
    expected: "a regularizer or null",
    got: show(given),
    hint: "Write regularizers.l2({ l2: 0.01 }), or 'l2'.",
  });
}

const CONSTRAINTS: Readonly<Record<string, () => Constraint>> = { maxNorm, nonNeg, unitNorm, minMaxNorm };

/** A constraint by object or by Keras' name; null for none. */
function resolveConstraint(operation: string, given: ConstraintLike | null): Constraint | null {
  if (typeof given === "string") return lookUp(operation, given, CONSTRAINTS)();
  if (given === null || typeof given?.emit === "function") return given;
  throw new UnreelError({
    operation,
    expected: "a constraint or null",
    got: show(given),
    hint: "Write constraints.maxNorm({ maxValue: 3 }), or 'maxNorm'.",
  });
}

/** A layer's options with all its regularizers and constraints, by object or name, made into objects. */
export function resolveLimits<C extends object>(operation: string, config: C): Resolved<C> {
  const resolved = Object.entries(config).map(([option, given]) => {
    if (option.endsWith("Regularizer")) return [option, resolveRegularizer(`${operation}: ${option}`, given)];
    if (option.endsWith("Constraint")) return [option, resolveConstraint(`${operation}: ${option}`, given)];
    return [option, given];
  });
  return Object.fromEntries(resolved) as Resolved<C>;
}

/** What a weight's spec takes of a config. */
export function limitsOf<W extends string>(weight: W, config: LimitConfig<W>) {
  const { [`${weight}Regularizer`]: regularizer, [`${weight}Constraint`]: constraint } = config as Record<
    string,
    unknown
  >;
  return { regularizer: regularizer as Regularizer | null, constraint: constraint as Constraint | null };
}
