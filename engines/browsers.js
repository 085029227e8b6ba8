// Chromium and Firefox, without a window, on pages of this machine. Pages are isolated (COOP, COEP), for threads and a finer clock.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import resolve from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";
import { kinds } from "./find.js";

/** Milliseconds for what a browser does after its start. */
const SETTLE = 2000;

const launchOptions = {
  chromium: (flags) => ({
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...flags,
    ],
  }),
  firefox: (flags) => ({
    browser: "firefox",
    extraPrefsFirefox: Object.fromEntries(flags.map((name) => [name, true])),
  }),
};

const TYPES = { ".js": "text/javascript", ".json": "application/json", ".html": "text/html" };

/** A module and all that it imports, as files that a page can load: path to text. What is imported later stays a file of its own. */
export async function bundle(module, path) {
  const made = await rollup({
    input: module,
    plugins: [resolve({ browser: true })],
    onwarn() {},
    external: (id) => id.startsWith("node:") || id === "cli-progress",
  });
  const { output } = await made.generate({ format: "es", entryFileNames: path });
  await made.close();
  return Object.fromEntries(output.map(({ fileName, code }) => [`/${fileName}`, code]));
}

/** Answers on loopback with `files` (path to text; null is not there), then with what lies in the folder `root`. */
export async function serve(files, { root, headers = ISOLATED } = {}) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    let text = files[path];
    if (text === undefined && root && !path.includes("..")) {
      text = await readFile(new URL(`.${path}`, root)).catch(() => undefined);
    }
    const type = TYPES[extname(path)] ?? (path.endsWith("/") ? "text/html" : "text/plain");
    response.writeHead(text === undefined || text === null ? 404 : 200, {
      "Content-Type": `${type}; charset=utf-8`,
      ...headers,
    });
    response.end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** An isolated page in a browser: { page, close }. */
export async function openPage({ kind, path }, server, { flagged = false, at = "/" } = {}) {
  // Installed by findEngines.
  const { default: puppeteer } = await import("puppeteer-core");
  const browser = await puppeteer.launch({
    executablePath: path,
    headless: true,
    protocolTimeout: 1_200_000,
    ...launchOptions[kind](flagged ? (kinds[kind].relaxed ?? []) : []),
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}${at}`);
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  return { page, close: () => browser.close() };
}
