// What callbacks that watch one number of the logs share: which direction is better, and by how much. Keras: MonitorCallback.
import { inRange, show, UnreelError } from "../../errors.js";
import type { Logs } from "./callback.js";

export type MonitorMode = "auto" | "min" | "max";

/** Endings of names whose metric is to rise or to fall; an output's name may stand before, a number behind. */
const UP = /(^|_)(acc|accuracy|precision|recall|auc|score)(_\d+)?$/;
const DOWN = /(^|_)(loss|error|mse|mae|mape|msle|crossentropy|divergence|hinge|poisson|log_?cosh)(_\d+)?$/;

/** Says whether a value is better than the best so far: by more than `minDelta`. The first one always is. */
export type Improves = (value: number, best: number | undefined) => boolean;

/** The comparison for a `monitor`; `auto` finds its direction by its name. */
export function improvement(
  operation: string,
  { monitor, mode, minDelta }: { monitor: string; mode: MonitorMode; minDelta: number },
): Improves {
  if (typeof monitor !== "string") {
    const expected = "a name of the logs";
    throw new UnreelError({ operation: `${operation}: monitor`, expected, got: show(monitor) });
  }
  if (!["auto", "min", "max"].includes(mode)) {
    const expected = "'auto', 'min' or 'max'";
    throw new UnreelError({ operation: `${operation}: mode`, expected, got: show(mode) });
  }
  inRange(`${operation}: minDelta`, minDelta, -Number.MAX_VALUE, Number.MAX_VALUE);
  const rising = mode === "max" || (mode === "auto" && UP.test(monitor));
  if (mode === "auto" && !rising && !DOWN.test(monitor)) {
    throw new UnreelError({
      operation: `${operation}: mode`,
      expected: "'min' or 'max'",
      got: `'auto' for ${show(monitor)}`,
      hint: "Only the usual names, such as 'val_loss' and 'accuracy', tell whether less or more is better.",
    });
  }
  const delta = Math.abs(minDelta);
  // Compared in float32, as Keras does: a loss that goes on falling in its ninth digit is no better.
  return (value, best) => {
    if (best === undefined) return true;
    return rising
      ? Math.fround(value - delta) > Math.fround(best)
      : Math.fround(value + delta) < Math.fround(best);
  };
}

/** The monitored value, or a warning that there is none. */
export function monitored(what: string, monitor: string, logs: Logs): number | undefined {
  const value: number | undefined = logs[monitor];
  if (value === undefined) {
    const available = Object.keys(logs).join(",");
    console.warn(
      `${what} conditioned on metric \`${monitor}\` which is not available. Available metrics are: ${available}`,
    );
  }
  return value;
}
