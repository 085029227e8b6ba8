// What computes, as one part of the package: models load it with the first call that needs it. Training stands behind it: what both use
// so stays in one file of a bundle.
export { Executor } from "../graph/executor.js";
export { predict } from "./predict.js";
export { Stream } from "./stream.js";

/** The loops of training: pages that only predict do without. */
export const training = () => import("./train.js");
