// Every layer and operation that is written, by class. Tests walk `layers.*` and `ops.*` against it.
import type { Layer } from "../../../layers/layer.js";
import { refuseLayer } from "./graph.js";
import { LAYERS } from "./layers.js";
import { OPERATIONS } from "./operations.js";
import { RECURRENT } from "./recurrent.js";
import type { WriteLayer } from "./write.js";

export function writerOf({ name, className, kind }: Layer): WriteLayer {
  const table = kind.isOperation ? OPERATIONS : Object.hasOwn(RECURRENT, className) ? RECURRENT : LAYERS;
  return Object.hasOwn(table, className) ? table[className] : refuseLayer(name, className);
}
