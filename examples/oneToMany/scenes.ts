// Made-up pictures: a scene of one or two kinds of shapes, the features that a camera would give for it (its attributes, mixed by
// random weights, with noise), and its caption. Everything comes from one seed. Not here: words to ids (main.ts).
import { Random } from "../../src/random.js";

const COUNTS = ["a", "two", "three"];
const SIZES = ["", "small", "large"];
const COLOURS = ["red", "green", "blue", "yellow"];
const SHAPES = ["circle", "square", "triangle", "star"];
const PLACES = ["", "above", "below", "left of"];
/** Of each attribute: count, size, colour and shape; place, colour and shape of the second one. */
const CHOICES = [COUNTS, SIZES, COLOURS, SHAPES, PLACES, COLOURS, SHAPES].map((values) => values.length);

export const FEATURES = 32;

export interface Scene {
  readonly features: Float32Array;
  readonly caption: string;
}

/** `count` scenes, no two with the same caption. */
export function makeScenes(count: number, seed: number): Scene[] {
  const random = new Random(seed);
  const inputs = CHOICES.reduce((a, b) => a + b, 0);
  const mixing = Array.from({ length: inputs }, () =>
    Array.from({ length: FEATURES }, () => random.normal()),
  );
  const scenes = new Map<string, Scene>();
  while (scenes.size < count) {
    const chosen = CHOICES.map((choices) => random.integer(choices));
    const features = Float32Array.from({ length: FEATURES }, () => 0.1 * random.normal());
    let first = 0;
    for (const [attribute, choice] of chosen.entries()) {
      // What is not there is not seen.
      const isSeen = attribute < 5 || chosen[4] !== 0;
      for (let f = 0; isSeen && f < FEATURES; f++) features[f] += 0.5 * mixing[first + choice][f];
      first += CHOICES[attribute];
    }
    const caption = describe(chosen);
    if (!scenes.has(caption)) scenes.set(caption, { features, caption });
  }
  return [...scenes.values()];
}

/** "two small red stars above a blue circle" */
function describe([count, size, colour, shape, place, otherColour, otherShape]: readonly number[]): string {
  const words = [COUNTS[count], SIZES[size], COLOURS[colour], `${SHAPES[shape]}${count === 0 ? "" : "s"}`];
  if (place !== 0) words.push(PLACES[place], "a", COLOURS[otherColour], SHAPES[otherShape]);
  return words.filter(Boolean).join(" ");
}
