// A made-up machine with an accelerometer: a turning shaft whose speed and load wander, three axes, noise. In a series with faults,
// each fault lasts a while: a bearing that rattles, a shaft that slows down, an axis that sticks. Everything comes from one seed.
import { Random } from "../../src/random.js";

export const AXES = 3;

export interface Fault {
  readonly kind: string;
  /** First step, and the first one after it. */
  readonly from: number;
  readonly to: number;
}

export interface Series {
  /** [steps][AXES] */
  readonly steps: number[][];
  readonly faults: readonly Fault[];
}

const KINDS = ["rattling bearing", "slow shaft", "stuck axis"];

export function makeSeries(length: number, seed: number, { withFaults }: { withFaults: boolean }): Series {
  const random = new Random(seed);
  const faults = withFaults ? placeFaults(random, length) : [];
  const steps: number[][] = [];
  let phase = random.uniform(0, 2 * Math.PI);
  // Both wander around 1.
  let speed = 1;
  let load = 1;
  for (let t = 0; t < length; t++) {
    const fault = faults.find(({ from, to }) => t >= from && t < to);
    speed += 0.02 * (1 - speed) + 0.004 * random.normal();
    load += 0.02 * (1 - load) + 0.01 * random.normal();
    phase += 0.35 * speed * (fault?.kind === "slow shaft" ? 0.7 : 1);
    const rattle = fault?.kind === "rattling bearing" ? 0.5 : 0;
    const axes = [
      load * Math.sin(phase),
      load * Math.cos(phase) + 0.2 * Math.sin(2 * phase),
      0.5 * Math.sin(phase + 1) + 0.3 * load * Math.cos(3 * phase),
    ].map((value) => value + 0.03 * random.normal() + rattle * random.normal());
    const stuck = fault?.kind === "stuck axis" ? 1 : -1;
    steps.push(axes.map((value, axis) => (axis === stuck ? steps[t - 1][axis] : value)));
  }
  return { steps, faults };
}

/** One every 500 steps, 50 to 150 steps long. */
function placeFaults(random: Random, length: number): Fault[] {
  return Array.from({ length: Math.floor(length / 500) }, (_, i) => {
    const from = 500 * i + 100 + random.integer(200);
    return { kind: KINDS[random.integer(KINDS.length)], from, to: from + 50 + random.integer(101) };
  });
}
