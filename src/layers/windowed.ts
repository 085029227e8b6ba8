// Layers that look at several steps side by side, or change how many there are: convolutions, pooling, resizing.
export { conv1D } from "./convolution/conv1D.js";
export { conv1DTranspose } from "./convolution/conv1DTranspose.js";
export { depthwiseConv1D, separableConv1D } from "./convolution/depthwiseConv1D.js";
export {
  averagePooling1D,
  globalAveragePooling1D,
  globalMaxPooling1D,
  maxPooling1D,
} from "./pooling.js";
export { cropping1D, upSampling1D, zeroPadding1D } from "./resizing.js";
