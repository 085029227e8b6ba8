// Initializers by object or by Keras' name. Not here: what each is (initializers.ts).
import { show, UnreelError } from "../errors.js";
import {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  type InitializerLike,
  identity,
  lecunNormal,
  lecunUniform,
  ones,
  orthogonal,
  randomNormal,
  randomUniform,
  truncatedNormal,
  varianceScaling,
  zeros,
} from "./initializers.js";
import { lookUp } from "./options.js";

const registry: Readonly<Record<string, () => Initializer>> = {
  zeros,
  ones,
  constant,
  randomUniform,
  randomNormal,
  truncatedNormal,
  varianceScaling,
  glorotUniform,
  glorotNormal,
  heUniform,
  heNormal,
  lecunUniform,
  lecunNormal,
  orthogonal,
  identity,
};

/** An initializer by object or by Keras' name. */
export function resolveInitializer(operation: string, given: InitializerLike): Initializer {
  if (typeof given === "string") return lookUp(operation, given, registry)();
  if (typeof (given as Initializer | null | undefined)?.draw === "function") return given;
  const hint = "Write initializers.randomNormal({ … }), or 'randomNormal'.";
  throw new UnreelError({ operation, expected: "an initializer", got: show(given), hint });
}
