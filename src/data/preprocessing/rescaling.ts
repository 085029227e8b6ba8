// x · scale + offset.
import { show, UnreelError } from "../../errors.js";
import { readOptions } from "../../layers/options.js";
import { Tensor, type TensorLike, tensor } from "../../tensor.js";
import { readSaved, type Saved } from "../saved.js";

export interface RescalingOptions {
  /** 1 / 255 brings bytes into [0, 1]. */
  scale: number;
  /** Default 0. */
  offset?: number;
}

/** Keras 3's `Rescaling` (https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/), on the host. */
export class Rescaling {
  readonly #options: Required<RescalingOptions>;

  constructor(given: RescalingOptions) {
    this.#options = readOptions<Required<RescalingOptions>>("Rescaling", given, {
      scale: undefined as never,
      offset: 0,
    });
    for (const [name, value] of Object.entries(this.#options)) {
      if (typeof value === "number" && Number.isFinite(value)) continue;
      throw new UnreelError({
        operation: `Rescaling: ${name}`,
        expected: "a finite number",
        got: show(value),
      });
    }
  }

  /** Float32, of the shape of the data. */
  apply(data: TensorLike): Tensor {
    const { scale, offset } = this.#options;
    const given = tensor(data);
    return new Tensor(
      Float32Array.from(given.data, (value) => value * scale + offset),
      given.shape,
    );
  }

  /** What undoes `apply`. */
  inverse(data: TensorLike): Tensor {
    const { scale, offset } = this.#options;
    if (scale === 0) {
      throw new UnreelError({ operation: "Rescaling.inverse", expected: "a scale that is not 0", got: "0" });
    }
    const given = tensor(data);
    return new Tensor(
      Float32Array.from(given.data, (value) => (value - offset) / scale),
      given.shape,
    );
  }

  getConfig(): Record<string, unknown> {
    return { ...this.#options };
  }

  static fromConfig(config: Record<string, unknown>): Rescaling {
    return new Rescaling(config as unknown as RescalingOptions);
  }

  toJSON(): Saved {
    return { className: "Rescaling", config: this.getConfig() };
  }

  static fromJSON(json: string | Saved): Rescaling {
    return Rescaling.fromConfig(readSaved("Rescaling", json).config);
  }
}
