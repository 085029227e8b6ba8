// What an operator is: from a node to the values that it gives.
import type { Call, Given } from "../call.js";

export type Operator = (call: Call) => readonly Given[];
export type Operators = Readonly<Record<string, Operator>>;
