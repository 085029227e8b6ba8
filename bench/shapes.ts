// What a shape is and how it is called. The list of those that are measured: shapeList.ts.
export interface GemmShape {
  m: number;
  n: number;
  k: number;
}

export interface ModelShape {
  cell: "simpleRNN" | "lstm" | "gru";
  batch: number;
  steps: number;
  inputs: number;
  units: number;
  /** Ids below this go through an embedding of `inputs` numbers first. */
  vocabulary?: number;
  /** GRU alone, default true: the product with the state comes before the reset gate. */
  resetAfter?: boolean;
  /** Measured without --full in bench/peers. */
  quick?: boolean;
}

export interface Shapes {
  gemm: GemmShape[];
  elements: { n: number }[];
  inference: ModelShape[];
  training: ModelShape[];
}

/** As in "lstm B32 T100 I64 H128". */
export function nameOf({ cell, batch, steps, inputs, units, vocabulary, resetAfter }: ModelShape): string {
  const variant = resetAfter === false ? " resetBefore" : "";
  const words = vocabulary ? ` V${vocabulary}` : "";
  return `${cell}${variant} B${batch} T${steps}${words} I${inputs} H${units}`;
}

export const gatesOf = { simpleRNN: 1, gru: 3, lstm: 4 } as const;

/** Words a second of a step that takes so many milliseconds; "-" where there are no words. */
export function tokensOf({ vocabulary, batch, steps }: ModelShape, ms: number): string {
  return vocabulary ? Math.round((batch * steps * 1000) / ms).toLocaleString("en") : "-";
}
