// The header of an HDF5 object, of either form: the messages that tell what it is and where it lies, in blocks that lead to further ones.
// HDF5 File Format Specification, version 3: IV.A.1
import { CHECKSUM, type Hdf5Bytes } from "./hdf5Bytes.js";

export interface Message {
  readonly type: number;
  readonly at: number;
  readonly size: number;
}

/** Types of messages. */
export const MESSAGES = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  link: 6,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbols: 17,
  attributeInfo: 21,
} as const;

export function messagesOf(file: Hdf5Bytes, header: number): readonly Message[] {
  return file.has(header, "OHDR") ? newer(file, header) : older(file, header);
}

function older(file: Hdf5Bytes, header: number): Message[] {
  if (file.number(header, 1) !== 1) throw file.damaged(`no object at byte ${header}`);
  const first = { start: header + 16, length: file.number(header + 8, 4) };
  return messagesIn(file, first, 8, (at) => ({
    type: file.number(at, 2),
    size: file.number(at + 2, 2),
    flags: file.number(at + 4, 1),
  }));
}

function newer(file: Hdf5Bytes, header: number): Message[] {
  if (file.number(header + 4, 1) !== 2) throw file.damaged(`no object at byte ${header}`);
  const flags = file.number(header + 5, 1);
  const at = header + 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0);
  const size = 1 << (flags & 3);
  const [start, length] = [at + size, file.number(at, size)];
  file.checked(header, start + length + CHECKSUM - header);
  return messagesIn(file, { start, length }, flags & 4 ? 6 : 4, (at) => ({
    type: file.number(at, 1),
    size: file.number(at + 1, 2),
    flags: file.number(at + 3, 1),
  }));
}

/** The messages of an object: blocks of them, which lead to further ones. */
function messagesIn(
  file: Hdf5Bytes,
  first: { start: number; length: number },
  prefix: number,
  headOf: (at: number) => { type: number; size: number; flags: number },
): Message[] {
  const found: Message[] = [];
  const blocks = [first];
  const seen = new Set<number>();
  for (let block = blocks.pop(); block; block = blocks.pop()) {
    const { start, length } = block;
    if (seen.has(start)) throw file.damaged(`an object that goes on in itself, at byte ${start}`);
    seen.add(start);
    file.block(start, length);
    for (let at = start; at + prefix <= start + length; ) {
      const { type, size, flags } = headOf(at);
      const message = { type, at: at + prefix, size };
      at = message.at + size;
      file.room(message.at, size);
      if (type !== MESSAGES.continuation) {
        if ((flags & 2) === 0) found.push(message);
        continue;
      }
      const [next, bytes] = [file.number(message.at, 8), file.number(message.at + 8, 8)];
      if (prefix === 8) blocks.push({ start: next, length: bytes });
      else {
        // The newer form has a signature and a checksum around each.
        file.signature(next, "OCHK");
        file.checked(next, bytes);
        blocks.push({ start: next + 4, length: bytes - 4 - CHECKSUM });
      }
    }
  }
  return found;
}
