// Products of matrices, and what works along one axis: softmax, normalizations, reductions. onnx.ai/onnx/operators
import { dense } from "../../../layers/core.js";
import { batchNormalization, layerNormalization } from "../../../layers/normalization.js";
import * as ops from "../../../layers/operations.js";
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { Tensor } from "../../../tensor.js";
import { turned } from "../../numbers.js";
import { type Known, known, mapped, reducedOver, reshaped, size, transposed } from "../arrays.js";
import { type Call, dimsOf, isKnown, Several, Sizes, sizesValue, type Value } from "../call.js";
import { times } from "../dims.js";
import { Misfit, View } from "../view.js";
import { combineValues } from "./elementwise.js";
import type { Operator, Operators } from "./operator.js";

// ------------------------------------------------------------------------------------------------------------- products

/** x · kernel [inputs, units] + bias over the graph's last axis. */
function product(call: Call, x: View, kernel: Known, bias: Known | undefined, key: string): View {
  const [inputs, units] = kernel.shape;
  const { view, place } = x.along(x.rank - 1, true);
  const width = view.tensor.shape[place];
  if (width !== inputs || units < 1) return call.refuse(`a last axis of ${inputs}`, call.shapes());
  const layer = call.reading.shared(key, () => {
    const made = dense({ units, useBias: bias !== undefined, name: call.layerName() });
    call.reading.later(() => {
      const weights = [new Tensor(asFloats(kernel), kernel.shape)];
      if (bias) weights.push(new Tensor(asFloats(bias), [units]));
      made.setWeights(weights);
    });
    return made;
  });
  return view.replaced(layer.apply(view.tensor) as SymbolicTensor, place, units).as("float");
}

const asFloats = ({ data }: Known) => (data instanceof Float32Array ? data : Float32Array.from(data));

/** A constant that is a bias of so many units: one number for each, or the same for all. */
function asBias(value: Value, units: number): Known | undefined {
  if (!isKnown(value)) return undefined;
  const isRow = value.shape.every((d, axis) => d === 1 || (axis === value.shape.length - 1 && d === units));
  if (!isRow) return undefined;
  const data = new Float32Array(units);
  for (let i = 0; i < units; i++) data[i] = value.data[value.data.length === 1 ? 0 : i];
  return known("float", [units], data);
}

const matmul: Operator = (call) => {
  const [a, b] = [call.value(0), call.value(1)];
  if (a instanceof View && isKnown(b) && b.shape.length === 2) {
    const user = call.reading.onlyUser(call.node.output[0]);
    const other =
      user?.opType === "Add" ? user.input.find((name) => name !== call.node.output[0]) : undefined;
    const added = other !== undefined && call.reading.isReady(other) ? call.reading.value(other) : undefined;
    const bias =
      added && !(added instanceof Several) && dimsOf(added).length <= a.rank
        ? asBias(added, b.shape[1])
        : undefined;
    const out = product(call, a, b, bias, `dense ${call.node.input[1]} ${bias ? other : ""}`);
    if (bias) call.reading.skip(user!, [out]);
    return [out];
  }
  if (isKnown(a) && isKnown(b)) return [knownProduct(call, a, b)];
  if (isKnown(a) && b instanceof View && a.shape.length === 2 && b.rank > 1) {
    // a·b = (bᵀ·aᵀ)ᵀ
    const swap = (view: View) => view.seen([...view.axes.slice(0, -2), view.axes.at(-1)!, view.axes.at(-2)!]);
    return [swap(product(call, swap(b), transposed(a, [1, 0]), undefined, `left ${call.node.input[0]}`))];
  }
  if (!(a instanceof View && b instanceof View))
    return call.refuse("tensors, or matrices that are constants", call.shapes());
  return [tensorProduct(a, b)];
};

function knownProduct(call: Call, a: Known, b: Known): Known {
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[1] !== b.shape[0])
    return call.refuse("constant matrices that fit", call.shapes());
  const [M, K] = a.shape;
  const N = b.shape[1];
  if (M * N * K > 1 << 26)
    return call.refuse("a product of constants of 2^26 multiplications or fewer", `${M} · ${K} · ${N}`);
  const data = new Float32Array(M * N);
  for (let m = 0; m < M; m++)
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += a.data[m * K + k] * b.data[k * N + n];
      data[m * N + n] = sum;
    }
  return known("float", [M, N], data);
}

/** Leading axes are those of the graph, atom by atom, so that samples stay in front. */
function tensorProduct(a: View, b: View): View {
  if (a.rank < 2 || b.rank < 2) throw new Misfit("matrices");
  const rank = Math.max(a.rank, b.rank);
  const [x, y] = [a, b].map((view) => view.seen([...Array(rank - view.rank).fill([]), ...view.axes]));
  const leading = (view: View) =>
    view.axes.slice(0, -2).map((axis) => axis.filter((atom) => atom === 0 || view.atoms[atom].dim !== 1));
  const [p, q] = [leading(x), leading(y)];
  const groups: { x: number[][]; y: number[][]; dims: ReturnType<View["dimOf"]>[]; axes: number[][] } = {
    x: [],
    y: [],
    dims: [],
    axes: [],
  };
  for (let axis = 0; axis < rank - 2; axis++) {
    const [u, v] = [p[axis], q[axis]];
    const longer = u.length >= v.length ? { view: x, atoms: u } : { view: y, atoms: v };
    if (
      u.length > 0 &&
      v.length > 0 &&
      u.map((atom) => x.atoms[atom].dim).join() !== v.map((atom) => y.atoms[atom].dim).join()
    )
      throw new Misfit("matrices whose leading axes agree");
    const own: number[] = [];
    longer.atoms.forEach((atom, k) => {
      own.push(groups.dims.length);
      groups.dims.push(longer.view.atoms[atom].dim);
      groups.x.push(u.length > 0 ? [u[k]] : []);
      groups.y.push(v.length > 0 ? [v[k]] : []);
    });
    groups.axes.push(own);
  }
  // Samples first, in both.
  const first = groups.x.findIndex((group, k) => group[0] === 0 && groups.y[k][0] === 0);
  if (first < 0) throw new Misfit("matrices whose samples lie along one of the leading axes");
  const order = [first, ...groups.x.keys()].filter((k, n) => n === 0 || k !== first);
  const laid = (view: View, list: number[][]) =>
    view.arranged([...order.map((k) => list[k]), [...view.axes.at(-2)!], [...view.axes.at(-1)!]]).tensor;
  const tensor = ops.matmul(laid(x, groups.x), laid(y, groups.y));
  const count = order.length;
  const atoms = [...order.map((k) => groups.dims[k]), x.dims.at(-2)!, y.dims.at(-1)!].map((dim, place) => ({
    dim,
    place,
  }));
  const axes = groups.axes.map((own) => own.map((k) => order.indexOf(k)));
  return new View(tensor, atoms, [...axes, [count], [count + 1]]);
}

const gemm: Operator = (call) => {
  const [alpha, beta] = [call.float("alpha", 1), call.float("beta", 1)];
  const [a, b] = [call.value(0), call.value(1)];
  const c = call.has(2) ? call.value(2) : undefined;
  if (!(a instanceof View) || !isKnown(b) || b.shape.length !== 2 || a.rank !== 2)
    return call.refuse("a matrix that depends on an input, and one that is constant", call.shapes());
  const x = call.int("transA", 0) ? a.seen([a.axes[1], a.axes[0]]) : a;
  const [rows, columns] = b.shape;
  const isTurned = call.int("transB", 0) !== 0;
  const flat = isTurned ? { ...b, shape: [columns, rows], data: turned(b.data, rows, columns) } : b;
  const kernel = alpha === 1 ? flat : mapped(flat, (value) => value * alpha);
  const bias = c && asBias(c, kernel.shape[1]);
  const scaled = bias && beta !== 1 ? mapped(bias, (value) => value * beta) : bias;
  const key = `gemm ${call.node.input.slice(1).join(" ")} ${isTurned} ${alpha} ${beta}`;
  const out = product(call, x, kernel, scaled, key);
  if (!c || bias) return [out];
  if (beta === 1) return [combineValues(call, out, c, SUM)];
  return call.refuse("beta 1, or a bias of one number for each column", `${beta}`);
};

const SUM = {
  ofTensors: ops.add as (a: SymbolicTensor | number, b: SymbolicTensor | number) => SymbolicTensor,
  ofNumbers: (a: number, b: number) => a + b,
};

// ------------------------------------------------------------------------------------------------------- along one axis

function along(f: (x: SymbolicTensor) => SymbolicTensor): Operator {
  return (call) => {
    const view = call.view(0);
    const axis = call.axis(call.int("axis", call.opset < 13 ? 1 : -1), view.rank);
    // Before opset 13 all axes from this one on are one.
    if (call.opset < 13 && axis !== view.rank - 1 && view.dims.slice(axis + 1).some((d) => d !== 1))
      return call.refuse("the last axis, as of opset 12 or older", `axis ${axis} of ${view.rank}`);
    const { view: lies } = view.along(axis, true);
    return [lies.replaced(f(lies.tensor))];
  };
}

const layerNorm: Operator = (call) => {
  const view = call.view(0);
  const axis = call.axis(call.int("axis", -1), view.rank);
  if (call.node.output.slice(1).some((name) => name !== "" && call.reading.isUsed(name)))
    return call.refuse("one output", "its mean or deviation as well");
  const behind = view.axes.slice(axis).flat();
  if (behind.includes(0)) return call.refuse("axes behind the samples", `axis ${axis}`);
  const widths = view.dims.slice(axis);
  if (!widths.every((d) => typeof d === "number")) return call.refuse("axes of known size", call.shapes());
  const width = size(widths as number[]);
  const rest = view.groups
    .map((group) => group.filter((atom) => !behind.includes(atom)))
    .filter((group) => group.length > 0);
  const laid = view.arranged([...rest, behind]);
  const scale = call.known(1, "its scale");
  const shift = call.has(2) ? call.known(2, "its bias") : undefined;
  if (scale.data.length !== width || (shift && shift.data.length !== width))
    return call.refuse(`a scale and a bias of ${width}`, call.shapes());
  const layer = call.reading.shared(
    `layerNorm ${call.node.input.slice(1)} ${call.float("epsilon", 1e-5)}`,
    () => {
      const made = layerNormalization({
        epsilon: call.float("epsilon", 1e-5),
        center: shift !== undefined,
        name: call.layerName(),
      });
      call.reading.later(() =>
        made.setWeights(
          [scale, ...(shift ? [shift] : [])].map((each) => new Tensor(asFloats(each), [width])),
        ),
      );
      return made;
    },
  );
  return [laid.replaced(layer.apply(laid.tensor) as SymbolicTensor)];
};

const batchNorm: Operator = (call) => {
  const view = call.view(0);
  if (call.int("training_mode", 0) !== 0) return call.refuse("training_mode 0", "1");
  if (view.rank < 2) return call.refuse("samples and features", call.shapes());
  const { view: lies, place } = view.along(1, true);
  const width = lies.tensor.shape[place];
  const weights = [1, 2, 3, 4].map((k) => call.known(k));
  if (weights.some(({ data }) => data.length !== width))
    return call.refuse(`${width} numbers each`, call.shapes());
  const epsilon = call.float("epsilon", 1e-5);
  const momentum = call.float("momentum", 0.9);
  const layer = call.reading.shared(`batchNorm ${call.node.input.slice(1)} ${epsilon}`, () => {
    const made = batchNormalization({ epsilon, momentum, name: call.layerName() });
    call.reading.later(() =>
      made.setWeights(weights.map((each) => new Tensor(asFloats(each), [each.data.length]))),
    );
    return made;
  });
  return [lies.replaced(layer.apply(lies.tensor) as SymbolicTensor)];
};

// ----------------------------------------------------------------------------------------------------------- reductions

type Reduction = (x: SymbolicTensor, options: { axis: number[]; keepdims: boolean }) => SymbolicTensor;

const squareRoot: Reduction = (x, options) => ops.sqrt(ops.sum(ops.square(x), options));

function reducing(
  reduction: Reduction,
  asInput: number,
  ofKnown?: (a: number, b: number) => number,
): Operator {
  return (call) => {
    const value = call.value(0);
    const rank = dimsOf(value).length;
    const given = call.opset < asInput ? call.ints("axes") : call.has(1) ? call.wholes(1) : undefined;
    const keeps = call.int("keepdims", 1) !== 0;
    const isNone = given === undefined || given.length === 0;
    if (isNone && call.int("noop_with_empty_axes", 0) !== 0) return [value];
    const axes = isNone
      ? Array.from({ length: rank }, (_, axis) => axis)
      : given.map((axis) => call.axis(axis, rank));
    if (value instanceof Sizes && call.op === "ReduceProd")
      return [sizesValue([value.elements.reduce(times)], !keeps)];
    if (isKnown(value) && ofKnown) {
      const reduced = reducedOver(value, axes, ofKnown);
      const count = size(value.shape) / Math.max(size(reduced.shape), 1);
      const out = call.op === "ReduceMean" ? mapped(reduced, (x) => x / count) : reduced;
      return [
        keeps
          ? out
          : reshaped(
              out,
              out.shape.filter((_, axis) => !axes.includes(axis)),
            ),
      ];
    }
    const view = call.view(0);
    if (axes.some((axis) => view.hasSamples(axis)))
      return call.refuse(
        "a reduction of each sample on its own",
        `one over axes ${axes}, the samples among them`,
      );
    // The axes of the graph that go, each an axis of ours.
    let laid = view;
    for (const axis of axes) if (laid.axes[axis].length > 1) laid = laid.apart;
    const atoms = axes.flatMap((axis) => laid.axes[axis]);
    if (
      laid.groups.some(
        (group) => group.some((atom) => atoms.includes(atom)) && !group.every((atom) => atoms.includes(atom)),
      )
    )
      laid = laid.apart;
    const gone = axes.flatMap((axis) => laid.axes[axis]);
    const places = [...new Set(gone.map((atom) => laid.atoms[atom].place))];
    const tensor =
      places.length === 0 ? laid.tensor : reduction(laid.tensor, { axis: places, keepdims: false });
    const left = laid.atoms.flatMap((_, atom) => (gone.includes(atom) ? [] : [atom]));
    const newPlace = (place: number) => place - places.filter((other) => other < place).length;
    const kept = laid.axes.map((axis, k) => (axes.includes(k) ? [] : axis.map((atom) => left.indexOf(atom))));
    const shown = keeps ? kept : kept.filter((_, k) => !axes.includes(k));
    const type = view.type === "bool" ? "int" : view.type;
    return [
      new View(
        tensor,
        left.map((atom) => ({ ...laid.atoms[atom], place: newPlace(laid.atoms[atom].place) })),
        shown,
        type,
      ),
    ];
  };
}

export const products: Operators = {
  MatMul: matmul,
  Gemm: gemm,
  Softmax: along((x) => ops.softmax(x)),
  LogSoftmax: along((x) => ops.logSoftmax(x)),
  LayerNormalization: layerNorm,
  BatchNormalization: batchNorm,
  ReduceMean: reducing(ops.mean, 18, (a, b) => a + b),
  ReduceSum: reducing(ops.sum, 13, (a, b) => a + b),
  ReduceMax: reducing(ops.max, 18, Math.max),
  ReduceMin: reducing(ops.min, 18, Math.min),
  ReduceProd: reducing(
    () => {
      throw new Misfit("sizes or constants, whose product is known");
    },
    18,
    (a, b) => a * b,
  ),
  ReduceSumSquare: reducing((x, options) => ops.sum(ops.square(x), options), 18),
  ReduceL2: reducing(squareRoot, 18),
  ReduceL1: reducing((x, options) => ops.sum(ops.abs(x), options), 18),
};
