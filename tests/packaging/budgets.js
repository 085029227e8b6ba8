// What a page downloads of the package, gzipped: the modules that are loaded before the first call, kernels with them; and with what the
// calls load that the page makes (`calls`: modules that they import). KB; `limit` and
// `limitCalled` fail the check; `wanted` is what it should come to.
const computing = ["model/computing.js"];

export const budgets = [
  {
    name: "everything",
    code: 'import * as unreel from "unreel"; globalThis.unreel = unreel;',
    calls: [...computing, "model/train.js"],
    wanted: 90,
    limit: 127,
    limitCalled: 152,
  },
  {
    name: "sequential, lstm, dense: trained",
    code: `import { layers, sequential } from "unreel";
      const model = sequential([layers.lstm({ units: 8, inputShape: [null, 3] }), layers.dense({ units: 1 })]);
      model.compile({ optimizer: "adam", loss: "mse" });
      model.fit(globalThis.x, globalThis.y).then(() => model.predict(globalThis.x)).then(console.log);`,
    calls: [...computing, "model/train.js"],
    wanted: 90,
    limit: 40,
    limitCalled: 97,
  },
  {
    name: "sequential, lstm, dense: predict",
    code: `import { layers, sequential } from "unreel";
      const model = sequential([layers.lstm({ units: 8, inputShape: [null, 3] }), layers.dense({ units: 1 })]);
      model.predict(globalThis.x).then(console.log);`,
    calls: computing,
    wanted: 90,
    limit: 40,
    limitCalled: 90,
  },
  {
    name: "unreel/infer, an LSTM in .keras",
    code: 'import * as unreel from "unreel/infer"; globalThis.unreel = unreel;',
    calls: [...computing, ...["formats/keras/archive.js", "formats/foreign.js", "layers/basic.js"]],
    wanted: 40,
    limit: 40,
    limitCalled: 104,
  },
];
