// What the small build exports: the kernels of the forward pass alone. Nothing is defined here.
// Training, losses and gradients: train.ts.

export {
  elu, exponential, gelu, geluTanh, hardSigmoid, hardSwish, hardTanh, leakyRelu, logSigmoid, mish, relu, relu6, selu,
  sigmoid, softplus, softsign, swish, tanh,
} from "./activation";
export { embeddingGather } from "./embedding";
export {
  GEMM_PACKED_SCRATCH_BYTES, GEMM_SCRATCH_BYTES, gemmNN, gemmNT, gemmPacked, gemmTN, packB, packBT, packedBytes,
} from "./gemm";
export { heapBase } from "./heap";
export { sum, sumColumns } from "./reduce";
export { gruSequence, lstmSequence, simpleSequence } from "./sequence";
export { logSoftmax, softmax } from "./softmax";
export {
  accumulate, add, copy, divide, fill, maximum, minimum, multiply, multiplyAccumulate, reverse, scale, scaleAccumulate,
  subtract, subtractAccumulate, transpose,
} from "./vector";
