// Every operator that is read, by ONNX's name.
import { constants } from "./constants.js";
import { elementwise } from "./elementwise.js";
import { loops } from "./loops.js";
import type { Operators } from "./operator.js";
import { parts } from "./parts.js";
import { products } from "./products.js";
import { recurrentOperators } from "./recurrent.js";
import { shapes } from "./shapes.js";
import { sideBySide } from "./sideBySide.js";
import { windows } from "./windows.js";

export const OPERATORS: Operators = {
  ...elementwise,
  ...constants,
  ...shapes,
  ...sideBySide,
  ...parts,
  ...products,
  ...windows,
  ...recurrentOperators,
  ...loops,
};

/** Why operators that people ask for are not read. */
export const REASONS: Readonly<Record<string, string>> = {
  If: "a graph inside a node, chosen at run time",
  Loop: "a graph inside a node, repeated at run time",
  TopK: "an order of numbers, but for steps that a mask keeps",
  GatherElements: "places that are computed, but for steps that a mask keeps",
  NonZero: "a result whose size depends on the numbers",
  QuantizeLinear: "quantized numbers",
  DequantizeLinear: "quantized numbers",
  DynamicQuantizeLSTM: "quantized numbers",
  RandomNormal: "random numbers at inference",
  RandomNormalLike: "random numbers at inference",
  RandomUniform: "random numbers at inference",
  RandomUniformLike: "random numbers at inference",
};
