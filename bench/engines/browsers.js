// Chromium and Firefox, without a window, on a page of this machine. The page is isolated (COOP, COEP), for a finer clock.
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import resolve from "@rollup/plugin-node-resolve";
import puppeteer from "puppeteer-core";
import { rollup } from "rollup";

const rows = fileURLToPath(new URL("../../build/bench/engineRows.js", import.meta.url));

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

/** A browser as something that can be asked, like a process of lines.js. */
export async function openBrowser(kind, executablePath, flags) {
  const server = await serve();
  const browser = await puppeteer.launch({
    executablePath,
    headless: true,
    protocolTimeout: 600_000,
    ...launchOptions[kind](flags),
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  if (!(await page.evaluate(() => globalThis.crossOriginIsolated)))
    throw new Error(`${kind}: page not isolated`);
  await new Promise((resolve) => setTimeout(resolve, SETTLE));
  return {
    ask: (question) =>
      page.evaluate(async ({ name, build, peak, quick }) => {
        const { canRun, measureKernel } = await import("/rows.js");
        return name
          ? measureKernel(name, build, peak, quick)
          : { simd: canRun("simd"), relaxed: canRun("relaxed") };
      }, question),
    async end() {
      await browser.close();
      server.close();
    },
  };
}

/** An empty page, and the rows as one module; on loopback only. */
async function serve() {
  const bundle = await rollup({ input: rows, plugins: [resolve()] });
  const { output } = await bundle.generate({ format: "es", inlineDynamicImports: true });
  const files = {
    "/": { type: "text/html", text: "<!doctype html><title>bench</title>" },
    "/rows.js": { type: "text/javascript", text: output[0].code },
  };
  const server = createServer(({ url }, response) => {
    const file = files[url];
    response.writeHead(file ? 200 : 404, {
      "Content-Type": file?.type ?? "text/plain",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    });
    response.end(file?.text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
