// Two operands side by side: their axes aligned at the last, in one layout of ours.
import type { SymbolicTensor } from "../../../layers/symbolic.js";
import { type Known, size, sliced, strided, uniform } from "../arrays.js";
import type { Call } from "../call.js";
import { constant } from "../constants.js";
import { type Dim, productOf } from "../dims.js";
import { type Atom, Misfit, View } from "../view.js";

/** With axes of size 1 in front. */
export function ranked(view: View, rank: number): View {
  const missing = rank - view.rank;
  return missing > 0 ? view.seen([...Array(missing).fill([]), ...view.axes]) : view;
}

const isFull = (dim: Dim) => dim !== 1;

/** Groups of atoms that belong together, of several views of one rank. */
interface Unit {
  readonly axis: number;
  readonly groups: (readonly number[] | undefined)[];
  readonly dim: Dim;
}

/** The units of the graph's axis k: atom by atom where all views have the same, else one. */
function unitsOf(views: readonly View[], axis: number): Unit[] {
  const here = views.map((view) =>
    view.axes[axis].filter((atom) => atom === 0 || isFull(view.atoms[atom].dim)),
  );
  const dims = views.map((view, k) => here[k].map((atom) => view.atoms[atom].dim));
  const full = here.filter((atoms) => atoms.length > 0);
  if (full.length === 0) return [];
  const [first] = dims.filter((list) => list.length > 0);
  const isSame = dims.every((list) => list.length === 0 || list.join() === first.join());
  if (isSame) {
    return first.map((dim, n) => ({
      axis,
      dim,
      groups: here.map((atoms) => (atoms.length > 0 ? [atoms[n]] : undefined)),
    }));
  }
  if (here.some((atoms) => atoms.includes(0) && atoms.length > 1))
    throw new Misfit("operands that agree on their samples");
  return [
    { axis, dim: productOf(first), groups: here.map((atoms) => (atoms.length > 0 ? atoms : undefined)) },
  ];
}

/** Tensors in one layout, and how to see what is made of them. Axes of size 1 grow in operators. */
export function aligned(views: readonly View[]): {
  tensors: SymbolicTensor[];
  seen: (tensor: SymbolicTensor) => View;
} {
  const rank = Math.max(...views.map((view) => view.rank));
  const all = views.map((view) => ranked(view, rank));
  const [first] = all;
  const isOne = all.every(
    (view) =>
      view.axes.map((axis) => axis.join()).join("|") === first.axes.map((axis) => axis.join()).join("|") &&
      view.atoms.every(({ dim, place }, k) => first.atoms[k]?.dim === dim && first.atoms[k].place === place),
  );
  if (isOne && all.every((view) => view.atoms.length === first.atoms.length))
    return { tensors: all.map((view) => view.tensor), seen: (tensor) => first.replaced(tensor).as("float") };
  const units = Array.from({ length: rank }, (_, axis) => unitsOf(all, axis)).flat();
  const samples = units.find(({ groups }) => groups.some((group) => group?.includes(0)));
  if (!samples?.groups.every((group) => group?.join() === "0"))
    throw new Misfit("operands whose samples lie along one axis");
  // The order of the first view that has them all, if any; what it lacks comes last.
  const leader = all.find((_, k) => units.every(({ groups }) => groups[k])) ?? first;
  const index = all.indexOf(leader);
  const placeOf = ({ groups }: Unit) => groups[index]?.[0] ?? leader.atoms.length + 1;
  const ordered = [...units].sort((a, b) => placeOf(a) - placeOf(b));
  const tensors = all.map((view, k) => view.arranged(ordered.map(({ groups }) => groups[k] ?? [])).tensor);
  const atoms: Atom[] = ordered.map(({ dim }, place) => ({ place, dim }));
  const axes = Array.from({ length: rank }, (_, axis) =>
    ordered
      .flatMap((unit, atom) => (unit.axis === axis ? [{ atom, order: units.indexOf(unit) }] : []))
      .sort((a, b) => a.order - b.order)
      .map(({ atom }) => atom),
  );
  return { tensors, seen: (tensor) => new View(tensor, atoms, axes) };
}

/** A constant that a file repeats for each of its samples, once. */
function sameForAll(array: Known, axis: number): Known {
  if (axis < 0 || array.shape[axis] < 2) return array;
  const row = (from: number) => sliced(array, [{ axis, from, count: 1, step: 1 }]);
  const first = row(0);
  for (let from = 1; from < array.shape[axis]; from++)
    if (row(from).data.some((value, i) => value !== first.data[i])) return array;
  return first;
}

/** A tensor and a constant in one layout: the constant as a number, or as a tensor of its own. */
export function withKnown(
  call: Call,
  view: View,
  given: Known,
): { tensor: SymbolicTensor; constant: SymbolicTensor | number; seen: (tensor: SymbolicTensor) => View } {
  const rank = Math.max(view.rank, given.shape.length);
  const one = ranked(view, rank);
  const number = uniform(given);
  const array = sameForAll(
    given,
    one.axes.findIndex((axis) => axis.join() === "0") - rank + given.shape.length,
  );
  const shape = [...Array<number>(rank - array.shape.length).fill(1), ...array.shape];
  const grows = shape.some((d, axis) => d !== 1 && one.dims[axis] === 1 && !one.hasSamples(axis));
  if (number !== undefined && !grows)
    return { tensor: one.tensor, constant: number, seen: (tensor) => one.replaced(tensor).as("float") };
  if (size(shape) === 0) throw new Misfit("constants with numbers in them");
  let laid = one;
  for (const [axis, d] of shape.entries()) {
    if (d === 1) continue;
    if (laid.hasSamples(axis)) throw new Misfit("a constant that is the same for all samples");
    if (laid.dims[axis] === 1) {
      // The tensor grows along this axis.
      if (laid.axes[axis].length === 0) laid = laid.withUnit(axis);
    } else if (laid.dims[axis] !== d) throw new Misfit("operands whose axes agree or have size 1");
  }
  // A part of one of our axes that the constant does not have: the parts are axes of their own then.
  const has = (atom: number) => shape[laid.axes.findIndex((axis) => axis.includes(atom))] > 1;
  if (laid.groups.some((group) => group.some(has) && !group.every(has))) laid = laid.apart;
  // The constant, atom by atom, in the order of ours.
  const steps: number[] = [];
  const counts: number[] = [];
  let step = 1;
  for (let axis = rank - 1; axis >= 0; axis--) {
    const atoms = laid.axes[axis];
    for (const atom of [...atoms].reverse()) {
      const { dim } = laid.atoms[atom];
      const own = shape[axis] === 1 ? 1 : dim === 1 ? shape[axis] : (dim as number);
      counts[atom] = own;
      steps[atom] = own === 1 ? 0 : step;
      if (shape[axis] > 1) step *= own;
    }
  }
  const known = laid.atoms.map((_, atom) => counts[atom] ?? 1);
  const moves = laid.atoms.map((_, atom) => steps[atom] ?? 0);
  const lying = strided(array, known, moves);
  const sizes = laid.groups.map((group) => group.reduce((product, atom) => product * known[atom], 1));
  const made = constant(call.layerName(), { ...lying, shape: sizes }, laid.tensor);
  const atoms = laid.atoms.map((atom, k) =>
    atom.dim === 1 && known[k] > 1 ? { ...atom, dim: known[k] } : atom,
  );
  return {
    tensor: laid.tensor,
    constant: made,
    seen: (tensor) => new View(tensor, atoms, laid.axes),
  };
}
