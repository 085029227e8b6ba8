// The package as npm would get it.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm } from "./npm.js";

/** Packs into a folder (prepack builds what is not built): the path of the tarball, and its bytes. */
export function pack(folder) {
  const said = npm(["pack", "--json", "--pack-destination", folder], {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // What scripts print comes first; newer versions of npm give a record by name in the place of a list.
  const [{ filename, size }] = Object.values(JSON.parse(said.replace(/^[^[{]*/, "")));
  return { tarball: join(folder, filename), size };
}
