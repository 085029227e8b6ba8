// An engine that can be asked to measure: a process (worker.js), or a page with the same rows.
import { fileURLToPath } from "node:url";
import { bundle, openPage, serve } from "../../engines/browsers.js";
import { commandFor, isBrowser } from "../../engines/find.js";
import { Lines } from "../lines.js";

const worker = fileURLToPath(new URL("worker.js", import.meta.url));
const rows = fileURLToPath(new URL("../../build/bench/engineRows.js", import.meta.url));

export async function openEngine(engine, flagged) {
  if (!isBrowser(engine)) {
    const { command, args, env } = commandFor(engine, worker, { flagged });
    return new Lines(command, args, { env });
  }
  const server = await serve({
    "/": "<!doctype html><title>bench</title>",
    ...(await bundle(rows, "rows.js")),
  });
  const { page, close } = await openPage(engine, server, { flagged });
  if (!(await page.evaluate(() => globalThis.crossOriginIsolated)))
    throw new Error(`${engine.name}: page not isolated`);
  return {
    ask: (question) =>
      page.evaluate(async ({ name, build, peak, quick }) => {
        const { canRun, measureKernel } = await import("/rows.js");
        return name
          ? measureKernel(name, build, peak, quick)
          : { simd: canRun("simd"), relaxed: canRun("relaxed") };
      }, question),
    async end() {
      await close();
      server.close();
    },
  };
}
