// What the full build exports: every kernel that the host calls, for training and inference. Nothing is defined here.
// A name without `Backward` in it computes forward, adds up, or updates; shapes stand in each kernel's own file.

export * from "./activation";
export * from "./adaptive";
export * from "./attention";
export * from "./batchNormalization";
export * from "./axes";
export * from "./columns";
export * from "./conv1d";
export * from "./cosine";
export * from "./crossentropy";
export * from "./depthwise";
export * from "./dropout";
export * from "./elementwise";
export { embeddingGather, embeddingScatterAdd } from "./embedding";
export * from "./focal";
export {
  GEMM_PACKED_SCRATCH_BYTES, GEMM_SCRATCH_BYTES, gemmNN, gemmNT, gemmPacked, gemmTN, packB, packBT, packedBytes,
} from "./gemm";
export { gemmBatch } from "./gemmBatch";
export * from "./heap";
export * from "./categoricalHinge";
export {
  gatherRows, gatherRowsBackward, gemmNNKept, gemmNTKept, gemmTNKept, keptRows, sumColumnsKept,
} from "./kept";
export * from "./layerNormalization";
export * from "./lengths";
export * from "./loss";
export { gaussianNoise } from "./noise";
export * from "./optimizer";
export * from "./overlap";
export * from "./pool";
export { uniform } from "./random";
export * from "./reduce";
export * from "./select";
export * from "./sequence";
export * from "./softmax";
export * from "./sparsemax";
export * from "./touched";
export * from "./vector";
