// A model here as an ONNX model, opset 17: each layer as nodes, weights as initializers; batch and unknown lengths of any size.
import type { Graph } from "../../layers/graph.js";
import type { ModelDescription } from "../description.js";
import { Builder, FLOAT, type Flow, INT32, valueInfo } from "./builder.js";
import { encodeModel } from "./proto.js";
import { writeGraph } from "./writers/graph.js";

const OPSET = 17;
const IR_VERSION = 8;

/** The bytes of an ONNX model. Inputs and outputs are called as the layers that make them. */
export async function writeOnnx({
  name,
  graph,
}: Pick<ModelDescription, "name" | "graph">): Promise<Uint8Array> {
  const b = new Builder();
  const inputs = graph.inputs.map((input) => ({ input, name: b.unique(input.name) }));
  const arriving = inputs.map(
    ({ input, name: value }): Flow => ({
      name: value,
      shape: input.shape,
      isInteger: input.dtype === "int32",
    }),
  );
  const flows = writeGraph(b, graph, arriving);
  const outputs = flows.map((flow, k) => {
    const wanted = b.unique(outputName(graph, k));
    b.nodes.push({
      input: [b.numbers(flow)],
      output: [wanted],
      name: b.unique(`${wanted}/Identity`),
      opType: "Identity",
    });
    return wanted;
  });
  const axis = (value: string, d: number | null, k: number) =>
    d ?? (k === 0 ? "batch" : k === 1 ? `steps_${value}` : `${value}_${k}`);
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: "unreel",
    opsetImport: [{ domain: "", version: OPSET }],
    graph: {
      name,
      node: b.nodes,
      initializer: b.initializers,
      input: inputs.map(({ input, name: value }) =>
        valueInfo(
          value,
          input.dtype === "int32" ? INT32 : FLOAT,
          input.shape.map((d, k) => axis(value, d, k)),
        ),
      ),
      // Lengths of outputs follow from those of inputs.
      output: graph.outputs.map(({ shape }, k) =>
        valueInfo(
          outputs[k],
          FLOAT,
          shape.map((d, n) => (n === 0 ? (d ?? "batch") : d)),
        ),
      ),
    },
  });
}

function outputName({ outputs }: Graph, k: number): string {
  const { source, index } = outputs[k];
  return index === 0 ? source.layer.name : `${source.layer.name}_${index}`;
}
