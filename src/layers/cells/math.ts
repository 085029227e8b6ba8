// Arithmetic of one step, in the words of a cell's equations: each method applies one op.
import type { Builder } from "../../ops/builder.js";
import { type Arithmetic, arithmetic, concatenate, dense, selectRows, slice } from "../../ops/index.js";
import type { Value } from "../../ops/op.js";
import { activate } from "../activations.js";

export class StepMath {
  readonly #builder: Builder;
  readonly #name: string;

  constructor(builder: Builder, name: string) {
    this.#builder = builder;
    this.#name = name;
  }

  /** x·kernel + bias */
  product(x: Value, kernel: Value, bias?: Value): Value {
    return this.#builder.apply(dense, `${this.#name}.product`, [x, kernel, bias], {})[0];
  }

  /** x·kernel + bias for `gates` gates side by side: of one x, or of one for each gate. */
  gateProducts(x: readonly Value[], kernel: Value, bias: Value | undefined, gates: number): Value {
    if (x.length === 1) return this.product(x[0], kernel, bias);
    const width = (kernel.shape[1] as number) / gates;
    const products = x.slice(0, gates).map((own, gate) => {
      const ownBias = bias && this.#builder.view(bias, [width], gate * width * 4);
      return this.product(own, this.part(kernel, gate, width), ownBias);
    });
    const axis = x[0].shape.length - 1;
    return this.#builder.apply(concatenate, `${this.#name}.product`, products, { axis })[0];
  }

  add(a: Value, b: Value): Value {
    return this.#combine("add", a, b);
  }

  subtract(a: Value, b: Value): Value {
    return this.#combine("subtract", a, b);
  }

  multiply(a: Value, b: Value): Value {
    return this.#combine("multiply", a, b);
  }

  activate(activation: string, x: Value): Value {
    return activate(this.#builder, activation, `${this.#name}.${activation}`, x);
  }

  /** Columns `part · width` to `(part + parts) · width`. */
  part(x: Value, part: number, width: number, parts = 1): Value {
    const attributes = { axis: x.shape.length - 1, from: part * width, size: parts * width };
    return this.#builder.apply(slice, `${this.#name}.part`, [x], attributes)[0];
  }

  /** Rows of a where the mask keeps them, of b elsewhere. */
  select(mask: Value, a: Value, b: Value): Value {
    return this.#builder.apply(selectRows, `${this.#name}.select`, [mask, a, b], {})[0];
  }

  #combine(kernel: Arithmetic, a: Value, b: Value): Value {
    return this.#builder.apply(arithmetic, `${this.#name}.${kernel}`, [a, b], { kernel })[0];
  }
}
