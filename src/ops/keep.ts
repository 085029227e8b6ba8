// Keeps the last state of a run for the next one: value to the place where it is kept.
import { count, type Op } from "./op.js";

export const keep: Op<object> = {
  name: "keep",

  outputs() {
    return [];
  },

  forward(e, { inputs: [value, place] }) {
    e.call("copy", place!, value!, count(value!));
  },
};
