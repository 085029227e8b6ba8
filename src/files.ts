// The file system, for callbacks that write and data that is read: loaded when first used, with a clear error where there is none.
import { show, UnreelError } from "./errors.js";

export type Files = typeof import("node:fs/promises");

/** Node's, Deno's or Bun's; undefined in a page, for which bundlers leave it empty. */
export async function fileSystemOr(): Promise<Files | undefined> {
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

/** Does something with a file; what goes wrong is said in one voice. */
export async function withFile<R>(
  operation: string,
  path: string,
  act: () => Promise<R>,
  expected = "a file that can be written",
): Promise<R> {
  try {
    return await act();
  } catch (error) {
    const hint = error instanceof Error ? error.message : String(error);
    throw new UnreelError({ operation, expected, got: show(path), hint });
  }
}
