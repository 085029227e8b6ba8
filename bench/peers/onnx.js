// ONNX models of the work, made in memory. Weights are constants in the model, as an export has them, so that a runtime may
// pack them beforehand. Converted from Keras' layout: kernels are transposed, an LSTM's gates i f c o become i o f c.
import proto from "onnx-proto";
import { PRODUCTS } from "./work.js";

const { onnx } = proto;
const FLOAT = 1;

function encode({ nodes, inputs, outputs, constants = {} }) {
  const value = ([name, shape]) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  });
  const initializer = Object.entries(constants).map(([name, { shape, data }]) => ({
    name,
    dims: shape,
    dataType: FLOAT,
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }));
  const graph = {
    name: "bench",
    node: nodes,
    input: Object.entries(inputs).map(value),
    output: Object.entries(outputs).map(value),
    initializer,
  };
  const model = { irVersion: 8, opsetImport: [{ domain: "", version: 14 }], graph };
  return onnx.ModelProto.encode(onnx.ModelProto.fromObject(model)).finish();
}

/** y = x · b · c · b · …: both factors are inputs, packed by whoever packs at run time. */
export function gemmModel({ m, n, k }) {
  const nodes = Array.from({ length: PRODUCTS }, (_, index) => ({
    opType: "MatMul",
    input: [index === 0 ? "x" : `x${index}`, index % 2 === 0 ? "b" : "c"],
    output: [index === PRODUCTS - 1 ? "y" : `x${index + 1}`],
  }));
  return encode({ nodes, inputs: { x: [m, k], b: [k, n], c: [n, k] }, outputs: { y: [m, k] } });
}

const CELLS = {
  simpleRNN: { opType: "RNN", order: [0] },
  gru: { opType: "GRU", order: [0, 1, 2] },
  lstm: { opType: "LSTM", order: [0, 3, 1, 2] },
};

/** x [T,B,I] to the last state y [1,B,H]. */
export function recurrentModel(shape, [kernel, recurrent, bias]) {
  const { cell, batch, steps, inputs, units, resetAfter = true } = shape;
  const { opType, order } = CELLS[cell];
  const width = order.length * units;
  const turn = ({ data }, rows) => {
    const turned = new Float32Array(data.length);
    for (const [to, from] of order.entries()) {
      for (let unit = 0; unit < units; unit++) {
        for (let row = 0; row < rows; row++) {
          turned[(to * units + unit) * rows + row] = data[row * width + from * units + unit];
        }
      }
    }
    return { data: turned, shape: [1, width, rows] };
  };
  // The recurrent bias is all zeros but for the GRU whose product comes before the reset gate.
  const both = new Float32Array(2 * width);
  for (let half = 0; half * width < bias.data.length; half++) {
    const part = { data: bias.data.subarray(half * width, (half + 1) * width) };
    both.set(turn(part, 1).data, half * width);
  }
  const attribute = [
    { name: "hidden_size", type: onnx.AttributeProto.AttributeType.INT, i: units },
    ...(cell === "gru"
      ? [
          {
            name: "linear_before_reset",
            type: onnx.AttributeProto.AttributeType.INT,
            i: resetAfter ? 1 : 0,
          },
        ]
      : []),
  ];
  return encode({
    nodes: [{ opType, input: ["x", "w", "r", "b"], output: ["", "y"], attribute }],
    inputs: { x: [steps, batch, inputs] },
    outputs: { y: [1, batch, units] },
    constants: {
      w: turn(kernel, inputs),
      r: turn(recurrent, units),
      b: { data: both, shape: [1, 2 * width] },
    },
  });
}
