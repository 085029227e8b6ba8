// `layers.*`: every layer of the contract, by its name. Tests walk this registry.
export * from "./attentive.js";
export * from "./basic.js";
export * from "./windowed.js";
