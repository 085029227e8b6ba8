// `callbacks.*`
export { type Callback, type Logs, lambda, type TrainingRun } from "./callback.js";
export { progressBar } from "./progressBar.js";
