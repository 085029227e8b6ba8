// Another process that answers questions: one line of JSON in, one line of JSON out. While it is not asked it waits and uses
// nothing of the machine, so that processes can be measured in turn.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export class Lines {
  #process;
  #answers;
  #failed;

  constructor(command, args, options = {}) {
    this.#process = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
    this.#failed = new Promise((_, reject) => {
      this.#process.on("error", reject);
      this.#process.on("exit", (code) => reject(new Error(`${command} ended (${code}) without an answer`)));
    });
    this.#failed.catch(() => {});
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** The answer to a question; an error of the other process is one here. Lines that are no answers are passed over. */
  async ask(question) {
    this.#process.stdin.write(`${JSON.stringify(question)}\n`);
    for (;;) {
      const { value, done } = await Promise.race([this.#answers.next(), this.#failed]);
      if (done) await this.#failed;
      if (!value.startsWith("{")) continue;
      const answer = JSON.parse(value);
      if (answer.error) throw new Error(answer.error);
      return answer;
    }
  }

  async end() {
    const gone = new Promise((resolve) => this.#process.on("exit", resolve));
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await gone;
  }
}

/** The other side, in Node, Deno and Bun: answers until there are no more questions. */
export async function answer(reply) {
  for await (const line of createInterface({ input: process.stdin })) {
    let found;
    try {
      found = await reply(JSON.parse(line));
    } catch (error) {
      found = { error: String(error.message).split("\n")[0] };
    }
    process.stdout.write(`${JSON.stringify(found ?? {})}\n`);
  }
}
