// Korean text: words, graphemes, letters and back. The round trip over real text is in datasets.test.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { korean, type Split, TextVectorization } from "../../src/data/text/index.js";
import { Random } from "../../src/random.js";
import { rejects } from "./golden.js";

test("words keep their particles and lose punctuation", () => {
  assert.equal(korean.words("그 고양이는, 매트 위에 앉았다! (귀엽다) ㅋㅋ"), [
    "그",
    "고양이는",
    "매트",
    "위에",
    "앉았다",
    "귀엽다",
    "ㅋㅋ",
  ]);
});

test("graphemes are what a reader sees, NFC", () => {
  assert.equal(korean.graphemes("한👍🏽é".normalize("NFD")), ["한", "👍🏽", "é"]);
  assert.is(korean.graphemes("각".normalize("NFD")).length, 1);
});

test("letters: finals and vowels of two letters are two", () => {
  assert.equal(korean.jamo("값과 꿟A"), [
    "ㄱ",
    "ㅏ",
    "ㅂ",
    "ㅅ",
    "ㄱ",
    "ㅗ",
    "ㅏ",
    " ",
    "ㄲ",
    "ㅜ",
    "ㅓ",
    "ㄹ",
    "ㅂ",
    "A",
  ]);
  assert.is(korean.composeJamo(["ㄱ", "ㅏ", "ㅂ", "ㅅ", "ㅣ"]), "갑시");
});

test("letters that stand alone are kept from their neighbours, and only where that is needed", () => {
  assert.equal(korean.jamo("하ㅋㅋ"), ["ㅎ", "ㅏ", korean.BOUNDARY, "ㅋ", "ㅋ"]);
  assert.equal(korean.jamo("ㅋㅋ하"), ["ㅋ", "ㅋ", "ㅎ", "ㅏ"]);
  assert.equal(korean.jamo("ㄱㅏ"), ["ㄱ", korean.BOUNDARY, "ㅏ"]);
});

test("every syllable comes back, alone and next to any letter", () => {
  for (let code = 0xac00; code <= 0xd7a3; code++) {
    const syllable = String.fromCharCode(code);
    if (korean.composeJamo(korean.jamo(syllable)) !== syllable) assert.unreachable(syllable);
  }
  const random = new Random(1);
  const letters = Array.from({ length: 0x318e - 0x3131 + 1 }, (_, i) => String.fromCharCode(0x3131 + i));
  for (let n = 0; n < 3000; n++) {
    const line = Array.from({ length: 6 }, () => {
      const kind = random.integer(4);
      if (kind === 0) return letters[random.integer(letters.length)];
      if (kind === 1) return "ㄱㄴㅅㅂㅏㅗㅣㄳㅘㅋㅎ"[random.integer(11)];
      return kind === 2 ? String.fromCharCode(0xac00 + random.integer(11172)) : " a가"[random.integer(3)];
    }).join("");
    assert.is(korean.composeJamo(korean.jamo(line)), line.normalize("NFC"), line);
  }
});

test("words, graphemes and letters split texts of a TextVectorization, and are kept with it", () => {
  for (const [split, first] of [
    ["words", "고양이는"],
    ["graphemes", "고"],
    ["jamo", "ㄱ"],
  ] as [Split, string][]) {
    const made = TextVectorization({ split }).adapt(["고양이는 귀엽다", "고양이는"]);
    assert.ok(made.getVocabulary().includes(first), String(split));
    const again = TextVectorization.fromJSON(JSON.stringify(made));
    assert.equal(again.apply("귀엽다 강아지"), made.apply("귀엽다 강아지"));
  }
});

const refusals: [string, () => unknown, RegExp][] = [
  ["a number", () => korean.words(3 as never), /korean\.words: expected a text \(string\), got 3/],
  ["no text", () => korean.jamo(undefined as never), /korean\.jamo: expected a text/],
  [
    "a text to compose",
    () => korean.composeJamo("ㄱㅏ" as never),
    /a list of letters \(strings\), got 'ㄱㅏ'/,
  ],
  ["a number to compose", () => korean.composeJamo(["ㄱ", 1 as never]), /got 1 at place 1/],
];
for (const [name, attempt, message] of refusals) {
  test(`refuses ${name}`, () => rejects(attempt, message));
}

test.run();
