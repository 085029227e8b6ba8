// Places that lack something, and what app.js must say there: one sentence with what to do, or its result where it can do without.
const DIST = "/node_modules/unreel/dist";
const page = (entry, script, before = "") =>
  `<!doctype html><meta charset="utf-8"><title>unreel</title>${before}<script type="importmap">{ "imports": { "unreel": "${DIST}/${entry}" } }</script><script type="module">${script}</script>`;
const APP = 'import("/app.js");';
/** What app.js says when all went well. */
const WORKS = /"accuracy":1,/;

export const pages = {
  "a policy without wasm": {
    page: page("unreel.min.js", APP),
    headers: { "Content-Security-Policy": "script-src 'self' 'unsafe-inline'" },
    expects: [/script-src 'wasm-unsafe-eval'/],
  },
  "wasm served as text": {
    page: page(
      "slim.min.js",
      `import { configure } from "unreel"; configure({ kernels: { simd: "${DIST}/kernels.simd.wasm" } }); ${APP}`,
    ),
    expects: [WORKS],
  },
  "a page in place of wasm": {
    page: page(
      "slim.min.js",
      `import { configure } from "unreel"; configure({ kernels: { simd: "/index.html" } }); ${APP}`,
    ),
    expects: [/a page of HTML.*Is the address right\?/],
  },
  "no isolation, threads asked for": {
    page: page(
      "unreel.min.js",
      `import { configure, engineInfo } from "unreel"; configure({ threads: 2 }); await import("/app.js"); console.log((await engineInfo()).threadsReason);`,
    ),
    headers: {},
    expects: [WORKS, /cross-origin isolated/],
  },
  "parts that were not deployed": {
    page: page("unreel.min.js", APP),
    files: { [`${DIST}/chunks/min/computing.js`]: null },
    expects: [/Files of a bundle lie beside each other/],
  },
  "a service worker that is no bundle": {
    page: page(
      "unreel.min.js",
      'navigator.serviceWorker.onmessage = (event) => console.log(event.data); navigator.serviceWorker.register("/service.js", { type: "module" });',
    ),
    files: {
      "/service.js": `import { sequential, layers } from "${DIST}/unreel.min.js";
        self.oninstall = () => self.skipWaiting();
        self.onactivate = async (event) => {
          await self.clients.claim();
          const model = sequential([layers.dense({ units: 1, inputShape: [1] })]);
          const said = await model.predict([[1]]).then(String, (error) => error.message);
          for (const each of await self.clients.matchAll({ includeUncontrolled: true })) each.postMessage("unreel " + said);
        };`,
    },
    expects: [/bundle it into one file/],
  },
  "a sandboxed frame": {
    page: `<!doctype html><meta charset="utf-8"><title>unreel</title><script>onmessage = (event) => console.log(event.data);</script><iframe sandbox="allow-scripts" srcdoc="&lt;script&gt;console.log = (text) => parent.postMessage(text, '*');&lt;/script&gt;&lt;script src='/bundle.js'&gt;&lt;/script&gt;"></iframe>`,
    headers: {},
    expects: [WORKS],
  },
};

/** Options of Node 20 and newer that take something away. */
export const flags = {
  "no WebAssembly": { flag: "--jitless", expects: [/expected an engine with WebAssembly,.*JIT-less/] },
  "no SIMD": { flag: "--no-enable-sse4-1", expects: [/an engine with WebAssembly SIMD.*Chrome 91/] },
};
