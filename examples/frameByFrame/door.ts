// A made-up camera that looks at a door: each frame is a row of 16 brightnesses with a bump where the door's edge is, and noise. The
// door stands closed, opens, stands open, closes, at changing speeds. On the way, one frame looks the same in both directions.
import { Random } from "../../src/random.js";

export const LABELS = ["closed", "opening", "open", "closing"];
export const PIXELS = 16;

export interface Clip {
  /** [frames][PIXELS] */
  readonly frames: number[][];
  /** One class number for each frame. */
  readonly labels: number[];
}

export function makeClips(count: number, length: number, seed: number): Clip[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => makeClip(random, length));
}

function makeClip(random: Random, length: number): Clip {
  const frames: number[][] = [];
  const labels: number[] = [];
  const show = (label: number, position: number) => {
    frames.push(frame(random, position));
    labels.push(label);
  };
  // Clips begin while the door stands: no frame before would tell which way it moves.
  let isOpen = random.integer(2) === 1;
  while (frames.length < length) {
    for (let pause = 2 + random.integer(8); pause > 0; pause--) show(isOpen ? 2 : 0, isOpen ? 1 : 0);
    const steps = 3 + random.integer(8);
    for (let step = 1; step <= steps; step++) show(isOpen ? 3 : 1, isOpen ? 1 - step / steps : step / steps);
    isOpen = !isOpen;
  }
  return { frames: frames.slice(0, length), labels: labels.slice(0, length) };
}

/** position: from 0, closed, to 1, open. */
function frame(random: Random, position: number): number[] {
  const edge = 2 + position * (PIXELS - 5);
  return Array.from({ length: PIXELS }, (_, pixel) => {
    return Math.exp(-((pixel - edge) ** 2) / 2) + 0.2 * random.normal();
  });
}
