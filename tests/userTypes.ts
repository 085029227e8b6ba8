// The types that users see, with TypeScript's strict checks: readme.test.ts compiles this against the package as it is installed. It
// is never run; an expected error that does not come is one.
import {
  type Assets,
  data,
  layers,
  loadModel,
  type Model,
  type NestedNumbers,
  sequential,
  type Tensor,
  text,
} from "../src/index.js";

export async function records(): Promise<void> {
  for await (const record of data.Dataset.fromCsv("rows.csv")) record.age satisfies number | string;
  for await (const [features, label] of data.Dataset.fromCsv("rows.csv", { label: "spam" })) {
    features.age satisfies number | string;
    label satisfies number | string;
  }
  const types = { subject: "string", spam: "integer", length: (each: string) => each.length } as const;
  for await (const [features, label] of data.Dataset.fromCsv("rows.csv", { label: "spam", types })) {
    [features.subject, features.length, label] satisfies [string, number, number];
  }
  for await (const [x] of data.Dataset.fromCsv("rows.csv", { label: "spam", vector: true }))
    x satisfies Float32Array;
  for await (const x of data.Dataset.fromCsv("rows.csv", { vector: true })) x[0] satisfies number;
  for await (const [x, y] of data.Dataset.fromCsv("rows.csv", { label: ["a", "b"], vector: true })) {
    [x, y] satisfies [Float32Array, Float32Array];
  }
  for await (const [x, y] of data.Dataset.fromCsv("rows.csv", { label: ["a", "b"] })) [x.c, y.a];
  const options: data.CsvOptions = JSON.parse("{}");
  data.Dataset.fromCsv("rows.csv", options) satisfies data.Dataset<data.CsvElement>;
  data.Dataset.fromCsv<[Float32Array, number]>("rows.csv", options) satisfies data.Dataset<
    [Float32Array, number]
  >;
  const batches = data.Dataset.fromCsv("rows.csv", {
    label: "spam",
    types: { spam: "number" },
    vector: true,
  }).batch(32);
  for await (const [x, y] of batches) [x, y] satisfies [Tensor, Tensor];
}

export async function models(model: Model): Promise<void> {
  const one = await model.predict([[1]]);
  [one.data[0], one.shape[0], one.toArray()];
  one.toArray(2)[0][1] satisfies number;
  one.toArray(0) satisfies number;
  one.toArray(4) satisfies number[][][][];
  one.toArray(one.shape.length) satisfies NestedNumbers;
  // @ts-expect-error it may have any rank
  one.toArray()[0];
  // @ts-expect-error of rank 2 it is no list of numbers
  one.toArray(2) satisfies number[];
  const [first, second] = await model.predict([[1]]);
  [first, second] satisfies [Tensor, Tensor];
  const stream = await model.stream();
  stream.step([1]).data[0] satisfies number;
  const { history } = await model.fit([[1]], [1], { epochs: 2 });
  history.loss.at(-1) satisfies number | undefined;
  (await model.evaluate([[1]], [1])).accuracy satisfies number;
  // @ts-expect-error await is missing
  model.predict([[1]]).data;
  // @ts-expect-error labels are numbers
  await model.fit([[1]], ["spam"]);
  // @ts-expect-error targets are missing
  await model.fit([[1]]);
  // @ts-expect-error an option that is none
  await model.fit([[1]], [1], { epochs: 2, batchSise: 1 });
  // @ts-expect-error an option that is none
  layers.lstm({ units: 2, returnSequence: true });
  // @ts-expect-error options have names
  layers.lstm(2);
}

export async function assets(): Promise<void> {
  const { vectorizer } = (await loadModel<{ vectorizer: text.TextVectorization }>("spam.keras")).assets;
  vectorizer.apply(["a text"]) satisfies Tensor;
  const model: Model = await loadModel("spam.keras");
  model.assets satisfies Assets;
  const scaler = model.assets.scaler;
  if (scaler instanceof data.Normalization) scaler.apply([[1]]) satisfies Tensor;
  if (scaler instanceof text.TextVectorization) scaler.sequences(["a text"]);
  // @ts-expect-error it may be any of them
  scaler.sequences(["a text"]);
  await model.save("again.keras", { assets: model.assets });
}

export function cells() {
  const own = layers.rnn({ cell: { stateSize: 2, call: (x, [h]) => [x, [h]] } });
  return sequential([own, layers.rnn({ cell: [layers.lstmCell({ units: 2 })] })]);
}
