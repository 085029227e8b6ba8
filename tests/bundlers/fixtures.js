// How each bundler is asked to build app.js into `out/`, from nothing: what it is installed as, its files, its command. A page without a
// bundler imports the package's small module as it is.
const html = (script) =>
  `<!doctype html><meta charset="utf-8"><title>unreel</title><div id="root"></div>${script}`;

export const fixtures = {
  vite: {
    packages: ["vite"],
    files: {
      "index.html": html('<script type="module" src="/app.js"></script>'),
      "vite.config.js": 'export default { build: { outDir: "out" } };',
    },
    command: ["npx", "vite", "build"],
  },
  webpack: {
    packages: ["webpack", "webpack-cli"],
    files: {
      "webpack.config.mjs":
        'export default { entry: "./app.js", mode: "production", performance: { hints: false }, output: { path: process.cwd() + "/out", filename: "main.js" } };',
    },
    page: html('<script src="main.js"></script>'),
    command: ["npx", "webpack"],
  },
  esbuild: {
    packages: ["esbuild"],
    files: {},
    page: html('<script type="module" src="app.js"></script>'),
    command: [
      "npx",
      "esbuild",
      "app.js",
      "--bundle",
      "--format=esm",
      "--splitting",
      "--minify",
      "--outdir=out",
    ],
  },
  rollup: {
    packages: ["rollup", "@rollup/plugin-node-resolve"],
    files: {
      "rollup.config.mjs":
        'import resolve from "@rollup/plugin-node-resolve"; export default { input: "app.js", plugins: [resolve({ browser: true })], output: { dir: "out" } };',
    },
    page: html('<script type="module" src="app.js"></script>'),
    command: ["npx", "rollup", "-c"],
  },
  next: {
    packages: ["next", "react", "react-dom"],
    files: {
      "next.config.mjs": 'export default { output: "export", distDir: "out" };',
      "app/layout.js":
        "export default function Layout({ children }) { return <html lang='en'><body>{children}</body></html>; }",
      "app/page.js":
        '"use client"; import { useEffect } from "react"; export default function Page() { useEffect(() => { import("../app.js"); }, []); return <p>unreel</p>; }',
    },
    command: ["npx", "next", "build"],
    env: { NEXT_TELEMETRY_DISABLED: "1" },
  },
  page: {
    packages: [],
    files: {},
    // The package's own files, through an import map; a policy that allows wasm and no more.
    page: html(
      '<script type="importmap">{ "imports": { "unreel": "/node_modules/unreel/dist/unreel.min.js" } }</script><script type="module" src="/app.js"></script>',
    ),
    copies: true,
    headers: {
      "Content-Security-Policy": "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'",
    },
  },
  worker: {
    packages: ["esbuild"],
    files: {},
    page: html(
      '<script>new Worker("app.js").onerror = (event) => console.log("unreel failed " + event.message);</script>',
    ),
    command: ["npx", "esbuild", "app.js", "--bundle", "--format=iife", "--outdir=out"],
  },
  serviceWorker: {
    packages: ["esbuild"],
    files: {
      "service.js":
        'const log = console.log; console.log = (text) => { log(text); self.clients.matchAll({ includeUncontrolled: true }).then((all) => { for (const each of all) each.postMessage(text); }); }; self.oninstall = () => self.skipWaiting(); self.onactivate = (event) => event.waitUntil(self.clients.claim()); import("./app.js");'.replace(
          'import("./app.js")',
          'require("./app.js")',
        ),
    },
    page: html(
      '<script>navigator.serviceWorker.onmessage = (event) => console.log(event.data); navigator.serviceWorker.register("/service.js");</script>',
    ),
    command: ["npx", "esbuild", "service.js", "--bundle", "--format=iife", "--outdir=out"],
  },
};
