// `layers.*`: every layer of the contract, by its name. Tests walk this registry.
export { additiveAttention, attention } from "./attention.js";
export { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } from "./cellLayers.js";
export { conv1D } from "./convolution/conv1D.js";
export { conv1DTranspose } from "./convolution/conv1DTranspose.js";
export { depthwiseConv1D, separableConv1D } from "./convolution/depthwiseConv1D.js";
export { activation, activityRegularization, dense, flatten } from "./core.js";
export { dot } from "./dot.js";
export { embedding } from "./embedding.js";
export { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merge.js";
export { multiHeadAttention } from "./multiHeadAttention.js";
export { dropout, gaussianNoise, spatialDropout1D } from "./noise.js";
export { batchNormalization, layerNormalization } from "./normalization.js";
export {
  averagePooling1D,
  globalAveragePooling1D,
  globalMaxPooling1D,
  maxPooling1D,
} from "./pooling.js";
export { gru, lstm, simpleRNN } from "./recurrent.js";
export { permute, reshape } from "./reshaping.js";
export { cropping1D, upSampling1D, zeroPadding1D } from "./resizing.js";
export { rnn } from "./rnn.js";
export { masking, repeatVector } from "./steps.js";
export { bidirectional, timeDistributed } from "./wrappers.js";
