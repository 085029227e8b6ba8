// `layers.*`: every layer of the contract, by its name. Tests walk this registry.
export { gruCell, lstmCell, simpleRNNCell, stackedRNNCells } from "./cellLayers.js";
export { activation, activityRegularization, dense, dropout, flatten } from "./core.js";
export { embedding } from "./embedding.js";
export { add, average, concatenate, maximum, minimum, multiply, subtract } from "./merge.js";
export { gru, lstm, simpleRNN } from "./recurrent.js";
export { rnn } from "./rnn.js";
export { masking, repeatVector } from "./steps.js";
export { bidirectional, timeDistributed } from "./wrappers.js";
