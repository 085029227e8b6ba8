// How a tensor of an ONNX graph lies in one of ours. Ours have samples on their first axis; ONNX graphs move axes about, most of them
// only to please the next operator. So transposing, reshaping, adding and removing axes move nothing here: they change which of our
// axes, or parts of them ("atoms"), an axis of the graph stands for. What an operator needs otherwise is arranged then.

import * as ops from "../../layers/operations.js";
import { reshape } from "../../layers/reshaping.js";
import type { SymbolicTensor } from "../../layers/symbolic.js";
import type { Known } from "./arrays.js";
import { type Dim, over, productOf } from "./dims.js";

/** A part of one of our axes. */
export interface Atom {
  /** Our axis. */
  readonly place: number;
  readonly dim: Dim;
}

/** Thrown where axes do not fit; whoever knows the node says which. */
export class Misfit extends Error {}

export class View {
  readonly tensor: SymbolicTensor;
  /** In the order in which they lie; the first is the samples. */
  readonly atoms: readonly Atom[];
  /** For each axis of the graph the atoms that it stands for, row by row; none: size 1. */
  readonly axes: readonly (readonly number[])[];

  /** What its numbers are in the graph; here all are floats, but for ids straight from an input. */
  readonly type: Known["type"];

  constructor(
    tensor: SymbolicTensor,
    atoms: readonly Atom[],
    axes: readonly (readonly number[])[],
    type: Known["type"] = "float",
  ) {
    this.tensor = tensor;
    this.atoms = atoms;
    this.axes = axes;
    this.type = type;
  }

  /** The same numbers, meant otherwise. */
  as(type: Known["type"]): View {
    return new View(this.tensor, this.atoms, this.axes, type);
  }

  /** A tensor whose axis k is the graph's axis `order.indexOf(k)`. */
  static of(
    tensor: SymbolicTensor,
    dims: readonly Dim[],
    order: readonly number[],
    type: Known["type"] = "float",
  ): View {
    const atoms = dims.map((dim, place) => ({ dim, place }));
    const axes = order.map((place) => [place]);
    return new View(tensor, atoms, axes, type);
  }

  get rank(): number {
    return this.axes.length;
  }

  get dims(): Dim[] {
    return this.axes.map((axis) => this.dimOf(axis));
  }

  dimOf(atoms: readonly number[]): Dim {
    return productOf(atoms.map((atom) => this.atoms[atom].dim));
  }

  /** Whether an axis of the graph has the samples in it. */
  hasSamples(axis: number): boolean {
    return this.axes[axis].includes(0);
  }

  /** The same, seen with other axes. */
  seen(axes: readonly (readonly number[])[]): View {
    return new View(this.tensor, this.atoms, axes, this.type);
  }

  /** The graph's axes beside our place: another tensor of the same layout, whose axis `place` has another size. */
  replaced(tensor: SymbolicTensor, place = -1, dim: Dim = 1): View {
    if (place < 0) return new View(tensor, this.atoms, this.axes, this.type);
    const first = this.atoms.findIndex((atom) => atom.place === place);
    const count = this.atoms.filter((atom) => atom.place === place).length;
    const atoms = this.atoms.toSpliced(first, count, { place, dim });
    const moved = (atom: number) => (atom < first + count ? atom : atom - count + 1);
    const axes = this.axes.map((axis) =>
      axis.includes(first)
        ? [first]
        : axis.filter((atom) => atom < first || atom >= first + count).map(moved),
    );
    return new View(tensor, atoms, axes, this.type);
  }

  /** All atoms in the graph's order. */
  get flat(): number[] {
    return this.axes.flat();
  }

  /** An atom of known size taken apart. Nothing moves. */
  split(atom: number, parts: readonly Dim[]): View {
    const { place } = this.atoms[atom];
    const atoms = this.atoms.toSpliced(atom, 1, ...parts.map((dim) => ({ place, dim })));
    const extra = parts.length - 1;
    const axes = this.axes.map((axis) =>
      axis.flatMap((a) => (a < atom ? [a] : a > atom ? [a + extra] : parts.map((_, k) => atom + k))),
    );
    return new View(this.tensor, atoms, axes, this.type);
  }

  /** The groups of atoms that our axes are now. */
  get groups(): number[][] {
    const groups: number[][] = this.tensor.shape.map(() => []);
    this.atoms.forEach(({ place }, atom) => {
      groups[place].push(atom);
    });
    return groups;
  }

  /** The tensor with these groups of atoms as its axes, the samples first. Atoms of size 1 may be left out. */
  arranged(groups: readonly (readonly number[])[]): View {
    const now = this.groups;
    const renumbered: number[] = [];
    const atoms = groups.flatMap((group, place) =>
      group.map((atom) => {
        renumbered[atom] = -1;
        return { place, dim: this.atoms[atom].dim };
      }),
    );
    groups.flat().forEach((atom, k) => {
      renumbered[atom] = k;
    });
    const axes = this.axes.map((axis) =>
      axis.filter((atom) => renumbered[atom] !== undefined).map((atom) => renumbered[atom]),
    );
    const key = (list: readonly (readonly number[])[]) => list.map((group) => group.join()).join("|");
    if (key(now) === key(groups)) return this;
    if (groups[0]?.join() !== "0") throw new Misfit("samples on an axis of their own");
    let { tensor } = this;
    // Our axes that the groups take apart are taken apart first.
    const whole = groups.map((group) => `,${group.join()},`);
    const isIntact = (unit: number[]) =>
      unit.length < 2 || whole.some((text) => text.includes(`,${unit.join()},`));
    let units = now;
    if (!now.every(isIntact)) {
      units = now.flatMap((unit) => (isIntact(unit) ? [unit] : unit.map((atom) => [atom])));
      tensor = shaped(
        tensor,
        units.map((unit) => this.dimOf(unit)),
      );
    }
    // Axes of size 1 that nobody asks for go, the others get the wanted order.
    const wanted = groups.flat();
    const left = units.filter((unit) => unit.length > 0 && wanted.includes(unit[0]));
    if (left.length < units.length) {
      const gone = units.filter((unit) => !left.includes(unit));
      if (gone.some((unit) => this.dimOf(unit) !== 1)) throw new Misfit("axes of size 1 where some end");
      tensor = ops.squeeze(
        tensor,
        gone.map((unit) => units.indexOf(unit)),
      );
      units = left;
    }
    const order = [...units.keys()].sort((a, b) => wanted.indexOf(units[a][0]) - wanted.indexOf(units[b][0]));
    if (order.some((unit, k) => unit !== k)) tensor = ops.transpose(tensor, order);
    const ordered = order.map((k) => units[k]);
    if (key(ordered) !== key(groups))
      tensor = shaped(
        tensor,
        groups.map((group) => this.dimOf(group)),
      );
    return new View(tensor, atoms, axes, this.type);
  }

  /** The same with the graph's axis k as one whole axis of ours (the last one if asked), and which it is. */
  along(k: number, last = false): { view: View; place: number } {
    if (this.hasSamples(k)) throw new Misfit("an axis without the samples");
    const { groups } = this;
    const mine = this.axes[k];
    const place = mine.length > 0 ? groups.findIndex((group) => group.join() === mine.join()) : -1;
    if (place > 0 && (!last || place === groups.length - 1)) return { view: this, place };
    if (mine.length === 0) {
      const view = this.withUnit(k);
      return { view, place: view.tensor.shape.length - 1 };
    }
    const rest = groups
      .map((group) => group.filter((atom) => !mine.includes(atom)))
      .filter((group) => group.length > 0);
    const before = last ? rest.length : rest.filter((group) => group[0] < Math.min(...mine)).length;
    const view = this.arranged(rest.toSpliced(before, 0, [...mine]));
    return { view, place: before };
  }

  /** The graph's axis k, which has size 1 and no atom, as our last axis. */
  withUnit(k: number): View {
    const place = this.tensor.shape.length;
    const tensor = ops.expandDims(this.tensor, place);
    const atoms = [...this.atoms, { place, dim: 1 }];
    return new View(tensor, atoms, this.axes.with(k, [this.atoms.length]), this.type);
  }

  /** Every axis of ours one atom. */
  get apart(): View {
    return this.atoms.length === this.tensor.shape.length
      ? this
      : this.arranged(this.atoms.map((_, atom) => [atom]));
  }
}

/** A tensor in another shape, by what adds, removes or regroups axes of it. */
function shaped(tensor: SymbolicTensor, dims: readonly Dim[]): SymbolicTensor {
  const open = dims.slice(1).filter((dim) => typeof dim !== "number").length;
  if (open > 1) {
    const added = onesAdded(tensor, dims);
    if (added) return added;
    throw new Misfit("one axis of unknown length at most, to change the shape");
  }
  const sizes = dims.slice(1).map((dim) => (typeof dim === "number" ? dim : -1));
  // Samples stay what they are, also where their number is known.
  if (tensor.shape[0] !== null) return reshape({ targetShape: sizes }).apply(tensor);
  return ops.reshape(tensor, [null, ...sizes]);
}

/** Where only axes of size 1 come in. */
function onesAdded(tensor: SymbolicTensor, dims: readonly Dim[]): SymbolicTensor | undefined {
  const kept = dims.flatMap((dim, axis) => (axis > 0 && dim === 1 ? [] : [axis]));
  if (kept.length !== tensor.shape.length) return undefined;
  let out = tensor;
  dims.forEach((_, axis) => {
    if (!kept.includes(axis)) out = ops.expandDims(out, axis);
  });
  return out;
}

/** The view with the graph's axes reshaped to `dims`, none of which is a guess; undefined where axes would have to be cut. */
export function reshapedView(view: View, dims: readonly Dim[]): View | undefined {
  let now = view;
  let queue = [...now.flat];
  const axes: number[][] = [];
  for (const wanted of dims) {
    const axis: number[] = [];
    let rest: Dim = wanted;
    // Samples stay samples, also where there is one.
    if (queue[0] === 0 && now.atoms[0].dim === wanted) {
      axis.push(0);
      queue.shift();
      rest = 1;
    }
    while (rest !== 1) {
      const atom = queue[0];
      if (atom === undefined) return undefined;
      const { dim } = now.atoms[atom];
      const left = over(rest, dim);
      if (left !== undefined) {
        axis.push(atom);
        queue.shift();
        rest = left;
        continue;
      }
      const inside = over(dim, rest);
      if (inside === undefined || atom === 0) return undefined;
      // Taken apart: what comes behind moves up one.
      const shift = (a: number) => (a > atom ? a + 1 : a);
      now = now.split(atom, [rest, inside]);
      for (const done of [...axes, axis]) done.splice(0, done.length, ...done.map(shift));
      queue = [atom, atom + 1, ...queue.slice(1).map(shift)];
      axis.push(atom);
      queue.shift();
      rest = 1;
    }
    axes.push(axis);
  }
  // What is left must be axes of size 1: they go to nobody.
  if (queue.some((atom) => now.atoms[atom].dim !== 1)) return undefined;
  return now.seen(axes);
}

/** The same where the exporter has written the number of samples that it saw into `dims`, of which one may be -1: seen so, any number of
 * samples is, since each has its own part of every axis that they are in. */
export function reshapedFromSamples(view: View, dims: readonly number[], samples: number): View | undefined {
  const [any] = view.atoms;
  const told = new View(view.tensor, view.atoms.with(0, { ...any, dim: samples }), view.axes, view.type);
  const rest = over(productOf(told.dims), productOf(dims.filter((dim) => dim !== -1)));
  if (rest === undefined) return undefined;
  const seen = reshapedView(
    told,
    dims.map((dim) => (dim === -1 ? rest : dim)),
  );
  if (!seen?.flat.includes(0)) return undefined;
  const axes = seen.axes.map((axis) => [...axis]);
  const at = axes.findIndex((axis) => axis[0] === 0);
  // One sample between two axes may be of either: [T, 1, H, D] as [T, H D] puts steps and samples together, [T, 1, H D] as [T, H, D]
  // samples and heads.
  if (samples === 1 && at > 0 && axes[at].length > 1 && seen.atoms.length === view.atoms.length) {
    axes[at].shift();
    axes[at - 1].push(0);
  }
  return new View(seen.tensor, seen.atoms.with(0, any), axes, seen.type);
}
