// What a page downloads of the package, gzipped: the modules that are loaded before the first call, kernels with them; and with what the
// calls load that the page makes (`calls`: modules that they import). KB; `limit` fails the check; `wanted` is what it should come to.
export const budgets = [
  {
    name: "everything",
    code: 'import * as unreel from "unreel"; globalThis.unreel = unreel;',
    wanted: 90,
    limit: 133,
  },
  {
    name: "sequential, lstm, dense: trained",
    code: `import { layers, sequential } from "unreel";
      const model = sequential([layers.lstm({ units: 8, inputShape: [null, 3] }), layers.dense({ units: 1 })]);
      model.compile({ optimizer: "adam", loss: "mse" });
      model.fit(globalThis.x, globalThis.y).then(() => model.predict(globalThis.x)).then(console.log);`,
    calls: ["training/fit.js"],
    wanted: 90,
    limit: 91,
  },
  {
    name: "sequential, lstm, dense: predict",
    code: `import { layers, sequential } from "unreel";
      const model = sequential([layers.lstm({ units: 8, inputShape: [null, 3] }), layers.dense({ units: 1 })]);
      model.predict(globalThis.x).then(console.log);`,
    wanted: 90,
    limit: 90,
  },
  {
    name: "unreel/infer",
    code: 'import * as unreel from "unreel/infer"; globalThis.unreel = unreel;',
    calls: ["formats/foreign.js", "formats/keras/archive.js", "fflate/"],
    wanted: 40,
    limit: 54,
  },
];
