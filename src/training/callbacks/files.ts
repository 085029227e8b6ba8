// The file system, for callbacks that write: loaded when first used, with a clear error where there is none.
import { show, UnreelError } from "../../errors.js";

export type Files = typeof import("node:fs/promises");

export async function fileSystem(operation: string): Promise<Files> {
  try {
    // For bundlers: pages never come here.
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ "node:fs/promises");
  } catch {
    throw new UnreelError({
      operation,
      expected: "a file system, as in Node, Deno and Bun",
      got: "none",
      hint: "In a page, pass a callback of your own, or read what fit returns.",
    });
  }
}

/** Does something with a file; what goes wrong is said in one voice. */
export async function withFile<R>(operation: string, path: string, act: () => Promise<R>): Promise<R> {
  try {
    return await act();
  } catch (error) {
    const hint = error instanceof Error ? error.message : String(error);
    throw new UnreelError({ operation, expected: "a file that can be written", got: show(path), hint });
  }
}
