// The file system, for callbacks that write and data that is read: loaded when first used, with a clear error where there is none.
// Not here: what is said of a file that cannot be read (unread.ts).
import { show, UnreelError } from "./errors.js";

export type Files = typeof import("node:fs/promises");

/** Node's, Deno's or Bun's; undefined in a page, for which bundlers leave it empty. */
export async function fileSystemOr(): Promise<Files | undefined> {
  // A page that asks for it has an error on its console, though all is well.
  if (!globalThis.process?.versions?.node) return undefined;
  try {
    // For bundlers: pages never come here.
    const files = await import(/* webpackIgnore: true */ /* @vite-ignore */ "node:fs/promises");
    return typeof files.open === "function" ? files : undefined;
  } catch {
    return undefined;
  }
}

export async function fileSystem(
  operation: string,
  hint = "In a page, pass a callback of your own, or read what fit returns.",
): Promise<Files> {
  const files = await fileSystemOr();
  if (files) return files;
  const expected = "a file system, as in Node, Deno and Bun";
  throw new UnreelError({ operation, expected, got: "none", hint });
}

/** Refuses what is no name of a file. */
export function checkPath(operation: string, path: unknown): void {
  if (typeof path === "string" || path instanceof URL) return;
  throw new UnreelError({ operation, expected: "a path", got: show(path) });
}

/** Writes a file that is whole at any time: the bytes go to a temporary one beside it, which then takes its name. */
export async function replaceFile(operation: string, path: string | URL, bytes: Uint8Array): Promise<void> {
  checkPath(operation, path);
  const files = await fileSystem(operation, "In a page, use toBytes() and offer the bytes as a download.");
  const place = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  const words = crypto.getRandomValues(new Uint32Array(2));
  const temporary = `${place}.${words[0].toString(36)}${words[1].toString(36)}.tmp`;
  await withFile(operation, place, async () => {
    const handle = await files.open(temporary, "wx");
    try {
      await handle.writeFile(bytes);
      // On the disk before it has the name: else a crash of the machine could leave an empty file.
      await handle.sync();
      await handle.close();
      await files.rename(temporary, place);
    } catch (error) {
      await handle.close().catch(() => {});
      await files.rm(temporary, { force: true });
      throw error;
    }
  });
}

const WRITTEN = "a file that can be written";

/** Does something with a file; what goes wrong is said in one voice. */
export async function withFile<R>(
  operation: string,
  path: string,
  act: () => Promise<R>,
  expected = WRITTEN,
): Promise<R> {
  try {
    return await act();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const isHomeless = (error as { code?: string }).code === "ENOENT" && expected === WRITTEN;
    const hint = isHomeless ? "ENOENT: its folder is not there. Make it first." : why;
    throw new UnreelError({ operation, expected, got: show(path), hint });
  }
}
