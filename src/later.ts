// Parts of the package that are loaded when they are first needed, and what is said where one cannot be.
import { UnreelError } from "./errors.js";

/** What `import()` gives; where the part does not come, an error that says what to do. */
export async function later<T>(part: Promise<T>): Promise<T> {
  try {
    return await part;
  } catch (error) {
    throw new UnreelError({
      operation: "import()",
      expected: "a part of the package that this call needs",
      got: error instanceof Error ? error.message : String(error),
      hint: "Files of a bundle lie beside each other: deploy all of them. A service worker may not import(): bundle it into one file, as with esbuild --bundle, or output.inlineDynamicImports of Rollup.",
    });
  }
}
