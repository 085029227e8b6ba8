// What `datasets.*` offers: each has `load` and `about`, where its data and their licence come from. No data are part of the package.
export { cmudict, type Pronunciation } from "./cmudict.js";
export type { About, FileOptions, Progress } from "./file.js";
export { imdb } from "./imdb.js";
export { jena, type Weather } from "./jena.js";
export { type NsmcOptions, nsmc, type Reviews } from "./nsmc.js";
export { type ReutersOptions, reuters } from "./reuters.js";
export { songysChatbot, type Talk } from "./songysChatbot.js";
export { tinyShakespeare } from "./tinyShakespeare.js";
export type { Labelled, WordIdOptions } from "./words.js";
