// The tables of shapes.json: products, inference, training steps.
import { readFileSync } from "node:fs";
import { figures } from "../../build/bench/measure.js";
import { nameOf } from "../../build/bench/shapes.js";
import { contenders, measureShape, remarks } from "./contenders.js";
import { PRODUCTS } from "./work.js";

const shapes = JSON.parse(readFileSync(new URL("../shapes.json", import.meta.url), "utf8"));

const SLOW = { above: 4000, rounds: 3 };

export function compareSections({ full, now }) {
  const effort = {
    warmUp: 200,
    turn: 10,
    rounds: 5,
    budget: full ? 4000 : 1500,
    most: 41,
    now,
  };
  const section = (title, kind, list, nameFor, show = figures) => {
    const byName = new Map(
      list.filter((shape) => full || shape.quick).map((shape) => [nameFor(shape), shape]),
    );
    return {
      title,
      columns: [
        "",
        ...contenders.flatMap((each, index) => (index ? [each.title, "x"] : [each.title])),
        "differ",
      ],
      rows: [...byName].map(([name, shape]) => ({
        name,
        measure: (chunk) => measureShape(kind, shape, effort, chunk, { slow: () => SLOW }),
      })),
      lines(name, found) {
        const { times, differ } = found;
        const cells = contenders.flatMap(({ title }, index) => {
          const ms = times[title];
          const cell =
            ms === undefined ? (found.cannot[title] === "-" ? "-" : "cannot") : show(ms, byName.get(name));
          return index ? [cell, ms === undefined ? "" : figures(ms / times.unreel)] : [cell];
        });
        const agreement = Object.keys(times).length > 1 ? differ.toExponential(0) : "-";
        return [[name, ...cells, agreement], ...remarks(found).map((remark) => [remark])];
      },
    };
  };
  const speed = (ms, { m, n, k }) => figures((2 * m * n * k * PRODUCTS) / ms / 1e6);
  return [
    section(
      `GFLOP/s, a chain of ${PRODUCTS} products M x N x K`,
      "gemm",
      shapes.gemm,
      ({ m, n, k }) => `gemm ${m}x${n}x${k}`,
      speed,
    ),
    section("Inference, ms", "inference", shapes.inference, (shape) => `predict ${nameOf(shape)}`),
    section("Training step (adam), ms", "training", shapes.training, (shape) => `train ${nameOf(shape)}`),
  ];
}
