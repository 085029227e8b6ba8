// `callbacks.*`
export { type BackupAndRestoreOptions, backupAndRestore } from "./backupAndRestore.js";
export { type Callback, type Logs, lambda, type TrainedModel, type TrainingRun } from "./callback.js";
export { type CsvLoggerOptions, csvLogger } from "./csvLogger.js";
export { type EarlyStopping, type EarlyStoppingOptions, earlyStopping } from "./earlyStopping.js";
export { type LearningRateSchedulerOptions, learningRateScheduler } from "./learningRateScheduler.js";
export { type ModelCheckpointOptions, modelCheckpoint } from "./modelCheckpoint.js";
export { progressBar } from "./progressBar.js";
export { type ReduceLROnPlateauOptions, reduceLROnPlateau } from "./reduceLROnPlateau.js";
export { type TensorBoardOptions, tensorBoard } from "./tensorBoard.js";
export { terminateOnNaN } from "./terminateOnNaN.js";
