// Event files as TensorBoard reads them: scalars as protobuf messages, each framed as a TFRecord.
// The few fields are written by hand: 30 lines, where @bufbuild/protobuf would need its runtime and a schema of six messages.
// Formats: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto; lib/io/record_writer.h.
import { CRC32C, crc32 } from "../../crc32.js";
import { type Files, withFile } from "../../files.js";

type Field = readonly [tag: number, wire: 0 | 1 | 2, bytes: Iterable<number>];

const UTF8 = new TextEncoder();

/** A number in groups of seven bits, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

const integer = (tag: number, value: number): Field => [tag, 0, varint(value)];
const double = (tag: number, value: number): Field => [tag, 1, new Uint8Array(Float64Array.of(value).buffer)];
/** A packed list of one number. */
const float = (tag: number, value: number): Field => [tag, 2, new Uint8Array(Float32Array.of(value).buffer)];
const text = (tag: number, value: string): Field => [tag, 2, UTF8.encode(value)];
const nested = (tag: number, ...fields: Field[]): Field => [tag, 2, message(fields)];

function message(fields: readonly Field[]): number[] {
  const bytes: number[] = [];
  for (const [tag, wire, content] of fields) {
    const body = [...content];
    bytes.push(...varint(tag * 8 + wire), ...(wire === 2 ? varint(body.length) : []), ...body);
  }
  return bytes;
}

/** The first event of a file. Seconds since 1970. */
export function versionEvent(seconds: number): Uint8Array {
  return Uint8Array.from(message([double(1, seconds), text(3, "brain.Event:2")]));
}

/** One number, as `tf.summary.scalar` writes it: a tensor of the `scalars` plugin. */
export function scalarEvent(seconds: number, step: number, tag: string, value: number): Uint8Array {
  const metadata = nested(9, nested(1, text(1, "scalars")));
  const tensor = nested(8, integer(1, 1), nested(2), float(5, value));
  const summary = nested(5, nested(1, text(1, tag), tensor, metadata));
  return Uint8Array.from(message([double(1, seconds), integer(2, step), summary]));
}

/** CRC-32C, masked as TFRecord wants it. */
export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32(bytes, CRC32C);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Length, its checksum, the data, its checksum; all little-endian. */
export function record(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(12 + data.length + 4);
  const view = new DataView(framed.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedCrc(framed.subarray(0, 8)), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(data), true);
  return framed;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Files of this process so far: no two have one name. */
let opened = 0;

/** A file of events in a directory, both made when the first event is written. */
export class EventFile {
  readonly #files: Files;
  readonly #directory: string;
  readonly #path: string;
  #waiting: Uint8Array[];
  #flushed = performance.now();

  constructor(files: Files, directory: string) {
    const seconds = Date.now() / 1000;
    const time = String(Math.floor(seconds)).padStart(10, "0");
    this.#files = files;
    this.#directory = directory;
    this.#path = `${directory}/events.out.tfevents.${time}.unreel.${process.pid}.${opened++}.v2`;
    this.#waiting = [record(versionEvent(seconds))];
  }

  scalar(tag: string, value: number, step: number): void {
    this.#waiting.push(record(scalarEvent(Date.now() / 1000, step, tag, value)));
  }

  /** Writes what waits, if that was last done longer ago than `milliseconds`. */
  async flush(milliseconds = 0): Promise<void> {
    if (this.#waiting.length === 0 || performance.now() - this.#flushed < milliseconds) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#flushed = performance.now();
    await withFile("callbacks.tensorBoard: logDir", this.#path, async () => {
      await this.#files.mkdir(this.#directory, { recursive: true });
      await this.#files.appendFile(this.#path, joined(waiting));
    });
  }
}
