// `layers.*`: every layer of the contract, by its name. Tests walk this registry.
export { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } from "./cellLayers.js";
export { activation, activityRegularization, dense, flatten } from "./core.js";
export { dot } from "./dot.js";
export { embedding } from "./embedding.js";
export { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merge.js";
export { dropout, gaussianNoise, spatialDropout1D } from "./noise.js";
export { batchNormalization, layerNormalization } from "./normalization.js";
export { gru, lstm, simpleRNN } from "./recurrent.js";
export { permute, reshape } from "./reshaping.js";
export { rnn } from "./rnn.js";
export { masking, repeatVector } from "./steps.js";
export { bidirectional, timeDistributed } from "./wrappers.js";
