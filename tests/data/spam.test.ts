// The data side of examples/spam: what is read of a mail, which mails are held out.
// Not here: the corpus itself (6,046 mails take ten seconds to parse).
import { test } from "uvu";
import * as assert from "uvu/assert";
import { type Mail, readMail, split, textKey } from "../../examples/spam/mails.js";

const latin1 = (...lines: string[]) => Buffer.from(lines.join("\n"), "latin1");

test("a mail is its subject and its text: no other header, in whatever charset", async () => {
  const mail = await readMail(
    latin1(
      "From someone@example.com  Thu Aug 22 13:17:22 2002",
      "Received: from secret.example.com",
      "X-Spam-Status: Yes",
      "Subject: =?iso-8859-1?Q?Caf=E9?=",
      " folded",
      'Content-Type: text/plain; charset="iso-8859-1"',
      "Content-Transfer-Encoding: quoted-printable",
      "",
      "It=92s 5=80 =E9=",
      "t=E9",
    ),
  );
  assert.equal(mail, { subject: "Café folded", body: "It’s 5€ été" });
});

test("Korean mail of 2002", async () => {
  const mail = await readMail(
    latin1(
      "Subject: =?ks_c_5601-1987?B?sKE=?=",
      'Content-Type: text/plain; charset="euc-kr"',
      "",
      "\xc7\xd1\xb1\xdb",
    ),
  );
  assert.equal(mail, { subject: "가", body: "한글" });
});

const page =
  "<html><head><title>t</title><style>p{}</style></head><body><H1>Buy</H1><p>n&#111;w <a href='http://x.example'>here</a><img src=y alt=z></body></html>";

test("HTML becomes the text a reader sees, declared or not", async () => {
  for (const header of ["Content-Type: text/html", "X-Lost: Content-Type"]) {
    const { body } = await readMail(latin1("Subject: s", header, "", page));
    assert.match(body, /Buy\s+now here$/);
    assert.not.match(body, /[<>{}]|example|\bt\b/);
  }
});

test("a forwarded mail counts with its subject and body, an attachment not at all", async () => {
  const { body } = await readMail(
    latin1(
      "Subject: outer",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      "",
      "see below",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "From: hidden@example.com",
      "Subject: inner",
      "",
      "words",
      "--b",
      "Content-Type: application/octet-stream",
      "",
      "binary",
      "--b--",
    ),
  );
  assert.is(body.replace(/\s+/g, " "), "see below inner words");
});

const mails: Mail[] = Array.from({ length: 2000 }, (_, i) => {
  const word = i.toString(36).replace(/\d/g, (digit) => "αβγδεζηθικ"[Number(digit)]);
  return { id: `${i}`, group: "spam", spam: true, subject: `re ${word}`, body: `about ${word}` };
});

test("the split is fixed, about a fifth, and keeps copies together", () => {
  const { training, heldOut } = split(mails);
  assert.is(training.length + heldOut.length, mails.length);
  assert.ok(heldOut.length > 340 && heldOut.length < 460, `${heldOut.length} held out`);
  const copies = mails.map((mail) => ({
    ...mail,
    subject: mail.subject.toUpperCase(),
    body: `> ${mail.body}!\n 12`,
  }));
  assert.equal(
    split(copies).heldOut.map(({ id }) => id),
    heldOut.map(({ id }) => id),
  );
  assert.is(textKey({ subject: "Ｒｅ: 5 Cafés", body: "한글 2!" }), "recafés한글");
});

test.run();
