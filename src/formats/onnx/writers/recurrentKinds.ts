// What writers of recurrent layers share: which node a layer is, and what ran.
import type { CellConfig } from "../../../layers/cells/index.js";
import { type Cell, gru, lstm, simple } from "../../../layers/cells/index.js";

export interface Config extends CellConfig {
  returnSequences: boolean;
  returnState: boolean;
  goBackwards: boolean;
  stateful: boolean;
  zeroOutputForMask: boolean;
}

export interface Kind {
  readonly op: "RNN" | "LSTM" | "GRU";
  readonly cell: Cell;
  /** Which of ours is ONNX's k-th gate. */
  readonly gates: readonly number[];
}

export const KINDS: Readonly<Record<string, Kind>> = {
  SimpleRNN: { op: "RNN", cell: simple, gates: [0] },
  LSTM: { op: "LSTM", cell: lstm, gates: [0, 3, 1, 2] },
  GRU: { op: "GRU", cell: gru, gates: [0, 1, 2] },
};

export interface Ran {
  /** All outputs [samples, steps, units], if asked for, and the last states [samples, units]. */
  readonly sequence?: string;
  readonly states: readonly string[];
}
