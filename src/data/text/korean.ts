// Korean (and any other) text to words, to the characters a reader sees, and Hangul to its letters and back.
// Not here: Hangul's own arithmetic (the package es-hangul).
import { canBeChoseong, canBeJongseong, canBeJungseong, combineCharacter, disassemble } from "es-hangul";
import { show, UnreelError } from "../../errors.js";

/** Stands between letters that would otherwise be read together with their neighbours: the control character U+001F. */
export const BOUNDARY = "\u001f";

const LOCALE = "ko";
const JAMO = /[\u3131-\u318e]/;
const HANGUL = /[가-힣\u3131-\u318e]/;
const VOWEL = /^[ㅏ-ㅣ]$/;

let segmenters: { word: Intl.Segmenter; grapheme: Intl.Segmenter } | undefined;

/** Made when first asked for: they load a dictionary. */
function segmenter(granularity: "word" | "grapheme"): Intl.Segmenter {
  if (typeof Intl.Segmenter !== "function") {
    const expected = "Intl.Segmenter, as in Node, Deno, Bun and browsers since 2024";
    throw new UnreelError({ operation: "text.korean", expected, got: "none" });
  }
  segmenters ??= {
    word: new Intl.Segmenter(LOCALE, { granularity: "word" }),
    grapheme: new Intl.Segmenter(LOCALE, { granularity: "grapheme" }),
  };
  return segmenters[granularity];
}

/** Words by Intl.Segmenter, without blanks and punctuation. Korean words keep their particles (고양이는). Text is NFC-normalised
 * first. The rules are Unicode's (UAX 29); their version is the engine's. */
export function words(text: string): string[] {
  return [...segmenter("word").segment(normal("words", text))]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment);
}

/** The characters that a reader sees, by Intl.Segmenter: 👍🏽 is one, é is one however it is written, so is each syllable. Text is
 * NFC-normalised first. */
export function graphemes(text: string): string[] {
  return Array.from(segmenter("grapheme").segment(normal("graphemes", text)), ({ segment }) => segment);
}

/**
 * Each syllable as its letters (값: ㄱ ㅏ ㅂ ㅅ; 과: ㄱ ㅗ ㅏ), everything else character by character. Where a letter that
 * stands alone (ㅋㅋ, ㅠㅠ) would be read into a neighbouring syllable, BOUNDARY (U+001F) comes between, so that `composeJamo` gives
 * back every text exactly. Text is NFC-normalised first. Letters: es-hangul's `disassemble`.
 */
export function jamo(text: string): string[] {
  const characters = Array.from(normal("jamo", text));
  const out: string[] = [];
  let before = "";
  for (const character of characters) {
    if (!HANGUL.test(character)) {
      out.push(character);
    } else {
      const alone = JAMO.test(character);
      const letters = lettersOf(character);
      if (HANGUL.test(before) && (alone || JAMO.test(before)) && isJoined(before, character))
        out.push(BOUNDARY);
      out.push(...letters);
    }
    before = character;
  }
  return out;
}

/** Of syllables seen so far: there are 11,172 at most. */
const known = new Map<string, readonly string[]>();

/** ㄳ and ㅘ alone stay whole: their parts would be read as two. */
function lettersOf(character: string): readonly string[] {
  let letters = known.get(character);
  if (!letters) {
    letters = JAMO.test(character) ? [character] : Array.from(disassemble(character));
    known.set(character, letters);
  }
  return letters;
}

/** Whether two characters' letters, side by side, would not be read as the two. */
function isJoined(a: string, b: string): boolean {
  return composed([...lettersOf(a), ...lettersOf(b)]) !== a + b;
}

/** The text that `jamo` took apart. Any other letters become syllables from the left, each as long as it can be; what belongs to
 * none stays a letter. */
export function composeJamo(letters: readonly string[]): string {
  const wrong = Array.isArray(letters) ? letters.findIndex((letter) => typeof letter !== "string") : 0;
  if (!Array.isArray(letters) || wrong >= 0) {
    const got = Array.isArray(letters) ? `${show(letters[wrong])} at place ${wrong}` : show(letters);
    throw new UnreelError({
      operation: "text.korean.composeJamo",
      expected: "a list of letters (strings)",
      got,
    });
  }
  return composed(letters);
}

function composed(letters: readonly string[]): string {
  let out = "";
  let i = 0;
  while (i < letters.length) {
    const first = letters[i++];
    if (!canBeChoseong(first) || !isVowel(letters[i])) {
      if (first !== BOUNDARY) out += first;
      continue;
    }
    let vowel = disassemble(letters[i++]);
    if (isVowel(letters[i]) && canBeJungseong(vowel + letters[i])) vowel += letters[i++];
    // A consonant before a vowel begins the next syllable.
    let final = "";
    while (i < letters.length && !isVowel(letters[i + 1]) && isFinal(final, letters[i]))
      final += letters[i++];
    out += combineCharacter(first, vowel, final);
  }
  return out;
}

const isVowel = (letter: string | undefined) => letter !== undefined && VOWEL.test(letter);
const isFinal = (before: string, letter: string) => letter !== "" && canBeJongseong(before + letter);

function normal(name: string, text: unknown): string {
  if (typeof text === "string") return text.normalize("NFC");
  throw new UnreelError({ operation: `text.korean.${name}`, expected: "a text (string)", got: show(text) });
}
