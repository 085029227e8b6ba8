// What is said of a file that cannot be read. Not here: reading (data/source.ts).
import { suggestion } from "./errors.js";
import { fileSystemOr } from "./files.js";

/** The names in a folder; undefined for what is none. */
export async function namesIn(path: string | URL): Promise<string[] | undefined> {
  const files = await fileSystemOr();
  if (!files) return undefined;
  const place = typeof path === "string" && /^file:/i.test(path) ? new URL(path) : path;
  return files.readdir(place).then(
    (names) => names.sort(),
    () => undefined,
  );
}

/** Why a file could not be read, and what may have been meant. */
export async function whyUnread(path: string | URL, error: unknown): Promise<string> {
  const why = error instanceof Error ? error.message : String(error);
  const { code } = error as { code?: string };
  if (code === "EISDIR") return "It is a folder: name a file in it.";
  if (code !== "ENOENT") return why;
  const place = path instanceof URL ? decodeURIComponent(path.pathname) : path;
  const [, folder, name] = /^(.*[\\/])?([^\\/]*)$/.exec(place) ?? [];
  const names = await namesIn(folder ?? ".");
  if (!names) return `ENOENT: there is no folder '${folder}'.`;
  const near = names.length > 0 ? suggestion(name, names) : "";
  const meant = near.startsWith("Did") ? ` ${near}` : "";
  const isRelative = path === place && !/^([\\/]|[a-z]:)/i.test(place);
  const start = isRelative && typeof process === "object" ? process.cwd?.() : undefined;
  return `ENOENT: there is no such file${start ? `, seen from ${start}` : ""}.${meant}`;
}
