// Recurrences that ONNX has no node for: the equations of a cell as the body of a Scan. https://onnx.ai/onnx/operators/onnx__Scan.html
import type { CellConfig } from "../../../layers/cells/index.js";
import type { Layer } from "../../../layers/layer.js";
import type { Shape } from "../../../layers/symbolic.js";
import type { Weight } from "../../../layers/weight.js";
import { BOOL, type Builder, FLOAT, type Flow, valueInfo } from "../builder.js";
import { writeActivation } from "./activations.js";
import { writeGraph } from "./graph.js";
import { type Config, KINDS, type Kind, type Ran } from "./recurrentKinds.js";

interface Step {
  readonly output: string;
  readonly states: readonly string[];
}

/** Columns of a value [samples, columns]. */
const part = (b: Builder, x: string, from: number, to: number) => b.slice(x, 1, from, to);

function product(b: Builder, x: string, weight: Weight, bias?: string): string {
  const out = b.op("MatMul", [x, b.weight(weight)]);
  return bias === undefined ? out : b.binary("Add", out, bias);
}

/** One step of a built-in cell, by its equations (layers/cells/). */
export function builtInStep(
  b: Builder,
  kind: Kind,
  config: CellConfig,
  [kernel, recurrent, bias]: readonly Weight[],
  x: string,
  states: readonly string[],
): Step {
  const { units, activation, recurrentActivation = "sigmoid", resetAfter } = config;
  const outer = (value: string) => writeActivation(b, activation, value);
  const inner = (value: string) => writeActivation(b, recurrentActivation, value);
  const [hidden, cell] = states;
  const add = (p: string, q: string) => b.binary("Add", p, q);
  const multiply = (p: string, q: string) => b.binary("Mul", p, q);
  const row = (index: number) => {
    if (!bias) return undefined;
    const width = 3 * units;
    return b.weight(bias, `row ${index}`, (values) => ({
      data: values.slice(index * width, (index + 1) * width),
      shape: [width],
    }));
  };
  if (kind.op === "RNN") {
    const next = outer(add(product(b, x, kernel, bias && b.weight(bias)), product(b, hidden, recurrent)));
    return { output: next, states: [next] };
  }
  if (kind.op === "LSTM") {
    const gates = add(product(b, x, kernel, bias && b.weight(bias)), product(b, hidden, recurrent));
    const [i, f, c, o] = b.ops("Split", [gates], 4, { axis: 1 });
    const next = add(multiply(inner(f), cell), multiply(inner(i), outer(c)));
    const output = multiply(inner(o), outer(next));
    return { output, states: [output, next] };
  }
  const gates = product(b, x, kernel, resetAfter ? row(0) : bias && b.weight(bias));
  const gate = (from: number, products: string) =>
    inner(add(part(b, gates, from, from + units), part(b, products, from, from + units)));
  if (resetAfter) {
    const products = product(b, hidden, recurrent, row(1));
    const candidate = outer(
      add(
        part(b, gates, 2 * units, 3 * units),
        multiply(gate(units, products), part(b, products, 2 * units, 3 * units)),
      ),
    );
    const next = add(candidate, multiply(gate(0, products), b.binary("Sub", hidden, candidate)));
    return { output: next, states: [next] };
  }
  const columns = (name: string, from: number, to: number) =>
    b.weight(recurrent, name, (values) => {
      const data = new Float32Array(units * (to - from));
      for (let r = 0; r < units; r++)
        data.set(values.subarray(r * 3 * units + from, r * 3 * units + to), r * (to - from));
      return { data, shape: [units, to - from] };
    });
  const products = b.op("MatMul", [hidden, columns("gates", 0, 2 * units)]);
  const reset = multiply(gate(units, products), hidden);
  const candidate = outer(
    add(
      part(b, gates, 2 * units, 3 * units),
      b.op("MatMul", [reset, columns("candidate", 2 * units, 3 * units)]),
    ),
  );
  const next = add(candidate, multiply(gate(0, products), b.binary("Sub", hidden, candidate)));
  return { output: next, states: [next] };
}

export const sizesOf = (cell: Layer): readonly number[] => cell.kind.stateSizes!(cell.config);

/** One step of any cell. */
export function step(
  b: Builder,
  cell: Layer,
  x: Flow,
  states: readonly string[],
  constants: readonly Flow[],
): Step {
  const before = b.scope;
  b.scope = `${before}/${cell.name}`;
  const done = inScope();
  b.scope = before;
  return done;

  function inScope(): Step {
    const kind = KINDS[cell.className.replace(/Cell$/, "")];
    if (kind && cell.className !== "Cell")
      return builtInStep(b, kind, cell.config as CellConfig, cell.weights, x.name, states);
    if (cell.className === "StackedRNNCells") {
      const { cells } = cell.config as { cells: readonly Layer[] };
      let below = x;
      let taken = 0;
      const after = cells.flatMap((each) => {
        const own = states.slice(taken, taken + sizesOf(each).length);
        taken += own.length;
        const { output, states: next } = step(
          b,
          each,
          below,
          own,
          each.kind.takesConstants?.(each.config) ? constants : [],
        );
        const size = each.kind
          .outputs(each.config, [below.shape, ...own.map((_, k): Shape => [null, sizesOf(each)[k]])])[0]
          .at(-1)!;
        below = { name: output, shape: [null, size] };
        return [...next];
      });
      return { output: below.name, states: after };
    }
    const graph = cell.kind.cellGraph?.();
    if (!graph) b.refuse(cell, "a built-in cell, or one written from layers and ops", "another one");
    const given = [
      x,
      ...states.map((name, k): Flow => ({ name, shape: [null, sizesOf(cell)[k]] })),
      ...constants,
    ];
    const [output, ...next] = writeGraph(b, graph!, given).map(({ name }) => name);
    return { output, states: next };
  }
}

interface Scanned {
  readonly stateSizes: readonly number[];
  readonly outputSize: number;
  readonly config: Pick<Config, "returnSequences" | "goBackwards" | "zeroOutputForMask">;
  one(b: Builder, x: Flow, states: readonly string[]): Step;
}

/** Any recurrence as a loop over time. */
export function scan(
  b: Builder,
  x: Flow,
  mask: string | undefined,
  states: readonly string[],
  { stateSizes, outputSize, config, one }: Scanned,
): Ran {
  const { goBackwards, returnSequences, zeroOutputForMask } = config;
  const repeats = mask !== undefined && !zeroOutputForMask;
  const zero = (size: number) =>
    b.op("ConstantOfShape", [b.concat([b.sizes(x.name, 0, 1), b.ints([size])], 0)]);
  const initial = [
    ...stateSizes.map((size, k) => states[k] ?? zero(size)),
    ...(repeats ? [zero(outputSize)] : []),
  ];
  const body = b.inside();
  const now = body.unique("x");
  const keep = mask && body.unique("keep");
  const before = initial.map((_, k) => body.unique(`state${k}`));
  const shape: Shape = [x.shape[0], ...x.shape.slice(2)];
  const own = before.slice(0, stateSizes.length);
  const { output, states: next } = one(body, { name: now, shape }, own);
  const kept = keep && body.unsqueeze(keep, 1);
  const after = kept ? next.map((state, k) => body.where(kept, state, own[k])) : [...next];
  let shown = output;
  if (kept) shown = body.where(kept, output, repeats ? before.at(-1)! : body.float(0));
  // An output of the graph inside has a name of its own, also where a state is passed on or comes out twice.
  const named = (value: string) => body.op("Identity", [value]);
  const outs = [...after, ...(repeats ? [shown] : [])].map(named);
  const y = named(shown);
  const graph = {
    name: body.unique("step"),
    node: body.nodes,
    input: [
      ...before.map((name) => valueInfo(name, FLOAT)),
      valueInfo(now, FLOAT),
      ...(keep ? [valueInfo(keep, BOOL)] : []),
    ],
    output: [...outs, y].map((name) => valueInfo(name, FLOAT)),
  };
  const sequences = mask ? [x.name, mask] : [x.name];
  const found = b.ops("Scan", [...initial, ...sequences], initial.length + 1, {
    body: { g: graph },
    num_scan_inputs: sequences.length,
    scan_input_axes: sequences.map(() => 1),
    scan_output_axes: [1],
    ...(goBackwards && { scan_input_directions: sequences.map(() => 1) }),
  });
  const sequence = found.at(-1)!;
  const last = returnSequences ? undefined : b.squeeze(b.slice(sequence, 1, -1), 1);
  return { sequence: returnSequences ? sequence : last, states: found.slice(0, stateSizes.length) };
}
