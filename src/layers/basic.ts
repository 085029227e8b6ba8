// Layers that models of sequences are mostly made of. Loaded as one where a file names any of them.
export { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } from "./cellLayers.js";
export { activation, activityRegularization, dense, flatten } from "./core.js";
export { embedding } from "./embedding.js";
export { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merge.js";
export { dropout, gaussianNoise, spatialDropout1D } from "./noise.js";
export { batchNormalization, layerNormalization } from "./normalization.js";
export { gru, lstm, simpleRNN } from "./recurrent.js";
export { permute, reshape } from "./reshaping.js";
export { rnn } from "./rnn.js";
export { masking, repeatVector } from "./steps.js";
export { bidirectional, timeDistributed } from "./wrappers.js";
