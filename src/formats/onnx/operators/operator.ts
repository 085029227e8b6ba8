// What an operator is: from a node to the values that it gives.
import type { Call, Value } from "../call.js";

export type Operator = (call: Call) => readonly Value[];
export type Operators = Readonly<Record<string, Operator>>;
