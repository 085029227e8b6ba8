// Functions of each number, arithmetic, comparisons and choices. onnx.ai/onnx/operators
import * as ops from "../../../layers/operations.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import {
  combined,
  jointShape,
  type Known,
  LARGEST_CONSTANT,
  mapped,
  size,
  TYPE_NAMES,
  typeOf,
} from "../arrays.js";
import { bounded, type Call, isKnown, Sizes, Spread, sizesValue, type Value } from "../call.js";
import { combine, type Dim, over, times } from "../dims.js";
import { Misfit, View } from "../view.js";
import { aligned, withKnown } from "./broadcast.js";
import type { Operator, Operators } from "./operator.js";

// ---------------------------------------------------------------------------------------------------------- one operand

type Function = (x: SymbolicTensor, call: Call) => SymbolicTensor;

/** A function of tensors; of constants where it is also given for numbers. */
function unary(ofTensor: Function, ofNumber?: (x: number) => number): Operator {
  return (call) => {
    const value = call.value(0);
    if (value instanceof View) return [value.replaced(ofTensor(value.tensor, call)).as("float")];
    if (isKnown(value) && ofNumber) return [mapped(value, ofNumber)];
    if (value instanceof Spread && typeof value.of === "object" && ofNumber)
      return [new Spread(mapped(value.of, ofNumber), value.dims)];
    return call.refuse("an input that depends on an input of the model", "a constant");
  };
}

/** alpha·x where x < 0, x elsewhere. */
function leaky(x: SymbolicTensor, alpha: number): SymbolicTensor {
  if (Math.abs(alpha - 0.2) < 1e-7) return ops.leakyRelu(x);
  return ops.add(ops.relu(x), ops.multiply(ops.minimum(x, 0), alpha));
}

/** max(0, min(1, alpha·x + beta)) */
export function hardSigmoid(x: SymbolicTensor, alpha: number, beta: number): SymbolicTensor {
  if (Math.abs(alpha - 1 / 6) < 1e-7 && beta === 0.5) return ops.hardSigmoid(x);
  if (Math.abs(alpha - 0.2) < 1e-7 && beta === 0.5) return ops.keras2HardSigmoid(x);
  return ops.clip(ops.add(ops.multiply(x, alpha), beta), 0, 1);
}

/** alpha·(e^x - 1) where x < 0, x elsewhere. */
export function elu(x: SymbolicTensor, alpha: number): SymbolicTensor {
  if (alpha === 1) return ops.elu(x);
  return ops.add(ops.relu(x), ops.multiply(ops.minimum(ops.elu(x), 0), alpha));
}

export { leaky };

/** alpha·(e^(x/alpha) - 1) where x < 0, x elsewhere. */
function celu(x: SymbolicTensor, alpha: number): SymbolicTensor {
  if (alpha === 1) return ops.celu(x);
  return ops.multiply(ops.celu(ops.multiply(x, 1 / alpha)), alpha);
}

function selu(x: SymbolicTensor, call: Call): SymbolicTensor {
  const [alpha, gamma] = [call.float("alpha", 1.6732632423543772), call.float("gamma", 1.0507009873554805)];
  if (Math.abs(alpha - 1.6732632423543772) < 1e-6 && Math.abs(gamma - 1.0507009873554805) < 1e-6)
    return ops.selu(x);
  return ops.multiply(elu(x, alpha), gamma);
}

const gelu: Operator = (call) => {
  const approximate = call.text("approximate", "none");
  const view = call.view(0);
  if (approximate === "none") return [view.replaced(ops.gelu(view.tensor))];
  if (approximate !== "tanh") return call.refuse("approximate 'none' or 'tanh'", `'${approximate}'`);
  // 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³)))
  const x = view.tensor;
  const cube = ops.multiply(ops.multiply(ops.square(x), x), 0.044715);
  const inner = ops.tanh(ops.multiply(ops.add(x, cube), 0.7978845608028654));
  return [view.replaced(ops.multiply(ops.multiply(x, 0.5), ops.add(inner, 1)))];
};

const clip: Operator = (call) => {
  const [low, high] =
    call.opset < 11
      ? [call.float("min", Number.NEGATIVE_INFINITY), call.float("max", Number.POSITIVE_INFINITY)]
      : [
          call.has(1) ? call.scalar(1) : Number.NEGATIVE_INFINITY,
          call.has(2) ? call.scalar(2) : Number.POSITIVE_INFINITY,
        ];
  const value = call.value(0);
  if (isKnown(value)) return [mapped(value, (x) => Math.min(Math.max(x, low), high))];
  const view = call.view(0);
  const x = view.tensor;
  const clipped =
    low === Number.NEGATIVE_INFINITY
      ? high === Number.POSITIVE_INFINITY
        ? x
        : ops.minimum(x, high)
      : high === Number.POSITIVE_INFINITY
        ? ops.maximum(x, low)
        : ops.clip(x, low, high);
  return [view.replaced(clipped)];
};

/** Whether what is cast are places in a table: ids are whole, and checked to be when the table is read. */
function arePlaces({ node, reading }: Call): boolean {
  const [name] = node.output;
  return reading.usersOf(name).some(({ opType, input }) => opType === "Gather" && input[0] !== name);
}

/** Types matter little here, where all are numbers; only what a type would round is refused. */
const cast: Operator = (call) => {
  const to = call.op === "CastLike" ? undefined : call.int("to", 0);
  const value = call.value(0);
  const like = call.op === "CastLike" ? call.value(1) : undefined;
  const type = to !== undefined ? typeOf(to) : like instanceof View || isKnown(like) ? like.type : "int";
  if (type === undefined) return call.refuse("a type of numbers", TYPE_NAMES[to!] ?? `${to}`);
  if (value instanceof View) {
    if (value.type === type) return [value];
    if (type === "bool") return [value.replaced(ops.notEqual(value.tensor, 0)).as("bool")];
    if (type === "int" && value.type === "float" && !arePlaces(call))
      return call.refuse("a cast that keeps the numbers", "one from fractions to whole numbers");
    return [value.as(type)];
  }
  if (isKnown(value)) {
    if (type === "bool") return [mapped(value, (x) => (x === 0 ? 0 : 1), "bool")];
    return [mapped(value, type === "int" ? Math.trunc : (x) => x, type)];
  }
  return [value];
};

// --------------------------------------------------------------------------------------------------------- two operands

interface Binary {
  readonly ofTensors: (a: SymbolicTensor | number, b: SymbolicTensor | number) => SymbolicTensor;
  readonly ofNumbers: (a: number, b: number) => number;
  readonly ofSizes?: (a: Dim, b: Dim) => Dim;
  readonly type?: "bool";
}

type Both = (a: SymbolicTensor | number, b: SymbolicTensor | number) => SymbolicTensor;

/** Two values of any sort. */
export function combineValues(call: Call, a: Value, b: Value, rule: Binary): Value {
  const type = rule.type ?? (a instanceof View ? a.type : b instanceof View ? b.type : "float");
  const [x, y] = [plain(a), plain(b)];
  if (x instanceof View && y instanceof View) {
    const { tensors, seen } = aligned([x, y]);
    return seen(rule.ofTensors(tensors[0], tensors[1])).as(type);
  }
  if (x instanceof View && isKnown(y)) {
    const { tensor, constant, seen } = withKnown(call, x, y);
    return seen(rule.ofTensors(tensor, constant)).as(type);
  }
  if (isKnown(x) && y instanceof View) {
    const { tensor, constant, seen } = withKnown(call, y, x);
    return seen(rule.ofTensors(constant, tensor)).as(type);
  }
  if (isKnown(x) && isKnown(y)) {
    const shape = jointShape([x.shape, y.shape]);
    if (!shape) return call.refuse("constants whose axes agree or have size 1", call.shapes());
    bounded(call, shape, Math.max(LARGEST_CONSTANT, size(x.shape), size(y.shape)));
    const isWhole = x.type !== "float" && y.type !== "float";
    const f = isWhole && call.op === "Div" ? (p: number, q: number) => Math.trunc(p / q) : rule.ofNumbers;
    return combined(x, y, shape, f, rule.type ?? (isWhole ? "int" : "float"));
  }
  if (rule.ofSizes && !(x instanceof View) && !(y instanceof View)) {
    const [p, q] = [elements(x), elements(y)];
    if (p && q && (p.length === q.length || p.length === 1 || q.length === 1)) {
      const length = Math.max(p.length, q.length);
      const all = Array.from({ length }, (_, k) =>
        rule.ofSizes!(p.at(p.length === 1 ? 0 : k)!, q.at(q.length === 1 ? 0 : k)!),
      );
      return sizesValue(
        all,
        [x, y].every((each) => (each instanceof Sizes ? each.isScalar : (each as Known).shape.length === 0)),
      );
    }
  }
  return call.refuse("numbers, or sizes of axes", call.shapes());
}

/** A repeated array counts as the array: its axes of size 1 grow. */
function plain(value: Value): Value {
  return value instanceof Spread && typeof value.of === "object" ? value.of : value;
}

function elements(value: Value): readonly Dim[] | undefined {
  if (value instanceof Sizes) return value.elements;
  return isKnown(value) && value.shape.length < 2 ? Array.from(value.data) : undefined;
}

function binary(rule: Binary): Operator {
  return (call) => {
    const [a, b] = [call.value(0), call.value(1)];
    // One that is repeated along axes which the other does not have.
    for (const each of [a, b]) {
      if (!(each instanceof Spread)) continue;
      const other = each === a ? b : a;
      const dims = other instanceof View || other instanceof Spread ? other.dims : [];
      const missing = each.dims.some(
        (d, k) => d !== 1 && (dims[k - each.dims.length + dims.length] ?? 1) === 1,
      );
      if (missing && other instanceof View)
        return call.refuse("a constant that is no larger than the other operand", call.shapes());
      if (missing && isKnown(other) && typeof each.of === "object")
        return [new Spread(combineValues(call, plain(a), plain(b), rule) as Known, each.dims)];
    }
    return [combineValues(call, a, b, rule)];
  };
}

/** Several operands, two at a time. */
function folding(rule: Binary, finish?: (call: Call, value: Value, count: number) => Value): Operator {
  return (call) => {
    const values = call.node.input.map((_, k) => call.value(k));
    if (values.length === 0) return call.refuse("inputs", "none");
    const all = values.reduce((a, b) => combineValues(call, a, b, rule));
    return [finish ? finish(call, all, values.length) : all];
  };
}

const ADD: Binary = {
  ofTensors: ops.add as Both,
  ofNumbers: (a, b) => a + b,
  ofSizes: (a, b) => (a === 0 ? b : b === 0 ? a : combine("+", a, b, (x, y) => x + y)),
};
const MULTIPLY: Binary = { ofTensors: ops.multiply as Both, ofNumbers: (a, b) => a * b, ofSizes: times };
const DIVIDE: Binary = {
  ofTensors: ops.divide as Both,
  ofNumbers: (a, b) => a / b,
  ofSizes: (a, b) => over(a, b) ?? combine("/", a, b, (x, y) => Math.trunc(x / y)),
};
const MAXIMUM: Binary = { ofTensors: ops.maximum as Both, ofNumbers: Math.max };
const MINIMUM: Binary = { ofTensors: ops.minimum as Both, ofNumbers: Math.min };

const comparison = (ofTensors: Both, holds: (a: number, b: number) => boolean): Operator =>
  binary({ ofTensors, ofNumbers: (a, b) => (holds(a, b) ? 1 : 0), type: "bool" });

const isTensor = (x: SymbolicTensor | number): x is SymbolicTensor => typeof x !== "number";
const truth = (x: SymbolicTensor | number) => (isTensor(x) ? ops.notEqual(x, 0) : x === 0 ? 0 : 1);

const divide: Operator = (call) => {
  const views = [0, 1].map((k) => call.value(k)).filter((value) => value instanceof View);
  if (views.length > 0 && views.every(({ type }) => type !== "float"))
    return call.refuse("a quotient of fractions", "whole numbers, whose quotient is rounded");
  return binary(DIVIDE)(call);
};

const power: Operator = (call) => {
  const [base, exponent] = [call.value(0), call.value(1)];
  if (isKnown(exponent) && exponent.data.length === 1) {
    const [n] = exponent.data;
    if (base instanceof View) return [base.replaced(ops.power(base.tensor, n))];
    if (isKnown(base) && Number.isSafeInteger(n) && n >= 0 && n < 9)
      return [
        mapped(base, (x) =>
          Array<number>(n)
            .fill(x)
            .reduce((a, b) => a * b, 1),
        ),
      ];
  }
  return call.refuse("one constant exponent", call.shapes());
};

const where: Operator = (call) => {
  const [condition, a, b] = [call.value(0), plain(call.value(1)), plain(call.value(2))];
  if (isKnown(condition)) {
    const choice = condition.data.every((x) => x !== 0)
      ? a
      : condition.data.every((x) => x === 0)
        ? b
        : undefined;
    if (choice) return [choice];
    if (isKnown(a) && isKnown(b)) {
      const shape = jointShape([condition.shape, a.shape, b.shape]);
      if (shape) {
        const largest = Math.max(LARGEST_CONSTANT, ...[condition, a, b].map(({ data }) => data.length));
        bounded(call, shape, largest);
        const chosen = combined(condition, a, shape, (c, x) => (c ? x : Number.NaN));
        return [
          combined(
            combined(condition, b, shape, (c, x) => (c ? Number.NaN : x)),
            chosen,
            shape,
            (x, y) => (Number.isNaN(y) ? x : y),
            a.type,
          ),
        ];
      }
    }
  }
  if (condition instanceof Sizes || a instanceof Sizes || b instanceof Sizes) {
    // `size = -1 ? computed : size`, as exporters guard the shapes they expand to.
    const [c, x, y] = [condition, a, b].map((each) => elements(each));
    if (c && x && y && c.every((each) => each === 0 || each === 1))
      return [sizesValue(c.map((each, k) => (each === 1 ? x : y).at(k)!))];
    return call.refuse("a condition that is known", call.shapes());
  }
  const view = [condition, a, b].find((each) => each instanceof View);
  if (!(view instanceof View))
    return call.refuse("constants that can be chosen between while reading", call.shapes());
  const type = a instanceof View ? a.type : b instanceof View ? b.type : "float";
  if (!(condition instanceof View))
    return call.refuse("a condition that depends on an input, or is the same everywhere", call.shapes());
  // Arrays are chosen by arithmetic: c·a + (1 - c)·b would spread what is not finite, so operands are aligned two at a time.
  if (a instanceof View && b instanceof View) {
    const { tensors, seen } = aligned([condition, a, b]);
    return [seen(ops.where(tensors[0], tensors[1], tensors[2])).as(type)];
  }
  const other = a instanceof View ? a : b instanceof View ? b : undefined;
  const array = (a instanceof View ? b : a) as Known;
  if (other && isKnown(array) && array.data.length === 1) {
    const { tensors, seen } = aligned([condition, other]);
    const [c, x] = tensors;
    return [seen(other === a ? ops.where(c, x, array.data[0]) : ops.where(c, array.data[0], x)).as(type)];
  }
  if (!other && isKnown(a) && isKnown(b) && a.data.length === 1 && b.data.length === 1)
    return [condition.replaced(ops.where(condition.tensor, a.data[0], b.data[0])).as(a.type)];
  if (other && isKnown(array)) {
    const { tensor, constant, seen } = withKnown(call, other, array);
    if (typeof constant === "number") return call.refuse("operands of known shape", call.shapes());
    const laid = seen(tensor);
    const { tensors, seen: both } = aligned([
      condition,
      laid,
      seen(ops.add(ops.zerosLike(tensor), constant)),
    ]);
    const [c, x, k] = tensors;
    return [both(other === a ? ops.where(c, x, k) : ops.where(c, k, x)).as(type)];
  }
  return call.refuse("operands of which one depends on an input, or numbers", call.shapes());
};

const logical = (ofTensors: Both, holds: (a: boolean, b: boolean) => boolean): Operator =>
  binary({ ofTensors, ofNumbers: (a, b) => (holds(a !== 0, b !== 0) ? 1 : 0), type: "bool" });

const equal: Operator = (call) => {
  const [a, b] = [call.value(0), call.value(1)];
  if (a instanceof Sizes || b instanceof Sizes) {
    // A size that is known at run time only is none of the marks, as -1, that it is compared with.
    const [x, y] = [elements(a), elements(b)];
    if (x && y)
      return [
        sizesValue(
          (x.length >= y.length ? x : y).map((_, k) =>
            x.at(x.length === 1 ? 0 : k) === y.at(y.length === 1 ? 0 : k) ? 1 : 0,
          ),
        ),
      ];
  }
  return comparison(ops.equal as Both, (x, y) => x === y)(call);
};

const softplusOf: Function = (x) => ops.softplus(x);

export const elementwise: Operators = {
  Abs: unary((x) => ops.abs(x), Math.abs),
  Neg: unary(
    (x) => ops.negative(x),
    (x) => -x,
  ),
  Sqrt: unary((x) => ops.sqrt(x), Math.sqrt),
  Reciprocal: unary(
    (x) => ops.reciprocal(x),
    (x) => 1 / x,
  ),
  Sign: unary((x) => ops.sign(x), Math.sign),
  Exp: unary((x) => ops.exp(x)),
  Log: unary((x) => ops.log(x)),
  Erf: unary((x) => ops.erf(x)),
  Relu: unary(
    (x) => ops.relu(x),
    (x) => Math.max(x, 0),
  ),
  LeakyRelu: unary((x, call) => leaky(x, call.float("alpha", 0.01))),
  Elu: unary((x, call) => elu(x, call.float("alpha", 1))),
  Celu: unary((x, call) => celu(x, call.float("alpha", 1))),
  Selu: unary(selu),
  Sigmoid: unary((x) => ops.sigmoid(x)),
  HardSigmoid: unary((x, call) => hardSigmoid(x, call.float("alpha", 0.2), call.float("beta", 0.5))),
  HardSwish: unary((x) => ops.hardSwish(x)),
  Tanh: unary((x) => ops.tanh(x)),
  Softplus: unary(softplusOf),
  Softsign: unary((x) => ops.softsign(x)),
  Mish: unary((x) => ops.mish(x)),
  Swish: unary((x, call) => ops.multiply(x, ops.sigmoid(ops.multiply(x, call.float("alpha", 1))))),
  ThresholdedRelu: unary((x, call) => ops.where(ops.greater(x, call.float("alpha", 1)), x, 0)),
  Shrink: unary((x, call) => {
    const [lambda, bias] = [call.float("lambd", 0.5), call.float("bias", 0)];
    const above = ops.where(ops.greater(x, lambda), ops.subtract(x, bias), 0);
    return ops.where(ops.less(x, -lambda), ops.add(x, bias), above);
  }),
  Gelu: gelu,
  Clip: clip,
  Cast: cast,
  CastLike: cast,
  Not: (call) => {
    const value = call.value(0);
    if (isKnown(value)) return [mapped(value, (x) => (x === 0 ? 1 : 0))];
    const view = call.view(0);
    return [view.replaced(ops.equal(view.tensor, 0)).as("bool")];
  },
  Add: binary(ADD),
  Sub: binary({
    ofTensors: ops.subtract as Both,
    ofNumbers: (a, b) => a - b,
    ofSizes: (a, b) => (b === 0 ? a : combine("-", a, b, (x, y) => x - y)),
  }),
  Mul: binary(MULTIPLY),
  Div: divide,
  Mod: binary({
    ofTensors: () => {
      throw new Misfit("constants, or sizes");
    },
    ofNumbers: (a, b) => a - Math.floor(a / b) * b,
    ofSizes: (a, b) =>
      over(a, b) !== undefined ? 0 : combine("%", a, b, (x, y) => x - Math.floor(x / y) * y),
  }),
  Pow: power,
  Max: folding(MAXIMUM),
  Min: folding(MINIMUM),
  Sum: folding(ADD),
  Mean: folding(ADD, (call, sum, count) =>
    combineValues(call, sum, { type: "float", shape: [], data: Float32Array.of(count) }, DIVIDE),
  ),
  Equal: equal,
  Greater: comparison(ops.greater as Both, (a, b) => a > b),
  GreaterOrEqual: comparison(ops.greaterEqual as Both, (a, b) => a >= b),
  Less: comparison(ops.less as Both, (a, b) => a < b),
  LessOrEqual: comparison(ops.lessEqual as Both, (a, b) => a <= b),
  And: logical(
    ((a, b) => ops.multiply(truth(a) as SymbolicTensor, truth(b) as SymbolicTensor)) as Both,
    (a, b) => a && b,
  ),
  Or: logical(
    ((a, b) => ops.maximum(truth(a) as SymbolicTensor, truth(b) as SymbolicTensor)) as Both,
    (a, b) => a || b,
  ),
  Xor: logical(
    ((a, b) => ops.notEqual(truth(a) as SymbolicTensor, truth(b) as SymbolicTensor)) as Both,
    (a, b) => a !== b,
  ),
  Where: where,
};
