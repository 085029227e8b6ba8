// `layers.*`: every layer of the contract, by its name. Tests walk this registry.
export { activation, dense, dropout, flatten } from "./core.js";
export { embedding } from "./embedding.js";
export { gru, lstm, simpleRNN } from "./recurrent.js";
