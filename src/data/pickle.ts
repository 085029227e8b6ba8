// Reads the one kind of pickle that Keras' data sets are made of: a NumPy array of objects that are lists of integers.
// Nothing is executed, and nothing is made but numbers and lists: whatever else a file asks for is refused by its name.
import { show, UnreelError } from "../errors.js";
import { allowance } from "../zip.js";

/** The three names that NumPy's own framing needs, in its old and its new spelling. */
const FRAMING: Record<string, string> = {
  "numpy.core.multiarray _reconstruct": "reconstruct",
  "numpy._core.multiarray _reconstruct": "reconstruct",
  "numpy ndarray": "ndarray",
  "numpy dtype": "dtype",
};

/** Instructions that would make something else, for messages. */
const REFUSED: Record<number, string> = {
  70: "FLOAT, a fraction",
  71: "BINFLOAT, a fraction",
  80: "PERSID, an object from outside",
  81: "BINPERSID, an object from outside",
  100: "DICT, a dictionary",
  105: "INST, an object of a class",
  111: "OBJ, an object of a class",
  115: "SETITEM, a dictionary",
  117: "SETITEMS, a dictionary",
  125: "EMPTY_DICT, a dictionary",
  129: "NEWOBJ, an object of a class",
  130: "EXT1, a registered extension",
  131: "EXT2, a registered extension",
  132: "EXT4, a registered extension",
  143: "EMPTY_SET, a set",
  144: "ADDITEMS, a set",
  145: "FROZENSET, a set",
  146: "NEWOBJ_EX, an object of a class",
  150: "BYTEARRAY8, bytes",
  151: "NEXT_BUFFER, a buffer from outside",
  152: "READONLY_BUFFER, a buffer from outside",
};

class Framing {
  constructor(readonly name: string) {}
}
/** A tuple, to tell it from a list. */
class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}
class ObjectType {}
class ObjectArray {
  shape: readonly number[] = [];
  items: readonly unknown[] = [];
}
const MARK = Symbol("mark");

/** For messages. Lists are not looked into: they may be nested without end. */
function brief(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Framing) return `numpy's ${value.name}`;
  return value === MARK ? "a mark" : show(value);
}

/** The lists of a pickled array of lists, and the array's shape. `operation` and `file` are for errors. */
export function unpickleLists(
  bytes: Uint8Array,
  operation: string,
  file: string,
): { rows: Int32Array[]; shape: number[] } {
  const refuse = (expected: string, got: string): never => {
    throw new UnreelError({ operation, expected: `${file}: ${expected}`, got });
  };
  const array = new Machine(bytes, refuse).run();
  if (!(array instanceof ObjectArray)) return refuse("an array of lists of integers", brief(array));
  const count = array.shape.reduce((product, length) => product * length, 1);
  if (count !== array.items.length) {
    return refuse(`${count} items for shape [${array.shape}]`, `${array.items.length}`);
  }
  // One list may stand there many times.
  const take = allowance(bytes.length);
  const rows = array.items.map((list, i) => {
    const items = Array.isArray(list) ? list : refuse("lists of integers", `${brief(list)} as item ${i}`);
    take(`${operation}: ${file}`, 4 * items.length);
    const row = new Int32Array(items.length);
    for (let k = 0; k < row.length; k++) {
      row[k] = items[k];
      if (row[k] !== items[k]) refuse("integers of 32 bits", `${brief(items[k])} in list ${i}`);
    }
    return row;
  });
  return { rows, shape: [...array.shape] };
}

type Refuse = (expected: string, got: string) => never;

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refuse: Refuse;
  #at = 0;
  readonly #stack: unknown[] = [];
  #memo: unknown[] = [];

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
  }

  /** Moves on, and says from where. */
  #take(length: number): number {
    const from = this.#at;
    if (length < 0 || from + length > this.#bytes.length) {
      this.#refuse("a whole pickle", `one that breaks off at byte ${this.#bytes.length}`);
    }
    this.#at += length;
    return from;
  }

  #text(length: number): string {
    const from = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(from, from + length));
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    const text = this.#text(end < 0 ? this.#bytes.length : end - this.#at);
    this.#take(1);
    return text;
  }

  #u8 = () => this.#view.getUint8(this.#take(1));
  #u32 = () => this.#view.getUint32(this.#take(4), true);

  #long(length: number): number {
    const from = this.#take(length);
    if (length > 7) this.#refuse("integers of 32 bits", `one of ${length} bytes`);
    let value = 0;
    for (let i = length - 1; i >= 0; i--) value = value * 256 + this.#bytes[from + i];
    return length > 0 && this.#bytes[from + length - 1] > 127 ? value - 256 ** length : value;
  }

  #pop(): unknown {
    if (this.#stack.length === 0) this.#refuse("a well-formed pickle", "an empty stack");
    return this.#stack.pop();
  }

  /** What lies above the last mark. */
  #marked(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) this.#refuse("a well-formed pickle", "no mark");
    const items = this.#stack.slice(mark + 1);
    this.#stack.length = mark;
    return items;
  }

  #tuple(count: number): void {
    const items = Array.from({ length: count }, () => this.#pop()).reverse();
    this.#stack.push(new Tuple(items));
  }

  #append(items: readonly unknown[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) this.#refuse("a list to append to", brief(list));
    for (const item of items) (list as unknown[]).push(item);
  }

  #global(module: unknown, name: unknown): void {
    const key = typeof module === "string" && typeof name === "string" ? `${module} ${name}` : "";
    if (!Object.hasOwn(FRAMING, key)) {
      const asked = key === "" ? `${brief(module)} and ${brief(name)}` : key.replace(" ", ".");
      this.#refuse("integers and lists alone", `a file that asks for ${asked}. It is not run`);
    }
    const framing = FRAMING[key];
    this.#stack.push(new Framing(framing));
  }

  /** A call: of NumPy's framing only, and only as NumPy writes it. */
  #call(): void {
    const given = this.#pop();
    const called = this.#pop();
    const items = given instanceof Tuple ? given.items : [];
    if (called instanceof Framing && called.name === "reconstruct") {
      const [kind] = items;
      if (kind instanceof Framing && kind.name === "ndarray") {
        this.#stack.push(new ObjectArray());
        return;
      }
    }
    if (called instanceof Framing && called.name === "dtype") {
      if (items[0] === "O8" || items[0] === "O4" || items[0] === "O") {
        this.#stack.push(new ObjectType());
        return;
      }
      this.#refuse("an array of lists", `an array of type ${brief(items[0])}`);
    }
    this.#refuse("integers and lists alone", `a call of ${brief(called)}`);
  }

  /** What fills in an array: (version, shape, type, isFortran, items). */
  #build(): void {
    const state = this.#pop();
    const target = this.#stack.at(-1);
    if (target instanceof ObjectType && state instanceof Tuple) return;
    if (!(target instanceof ObjectArray) || !(state instanceof Tuple)) {
      this.#refuse("integers and lists alone", `an object filled in: ${brief(target)}`);
      return;
    }
    const [, shape, type, isFortran, items] = state.items;
    const lengths = shape instanceof Tuple ? shape.items : [];
    const isShape =
      lengths.length > 0 && lengths.every((length) => typeof length === "number" && length >= 0);
    if (
      !isShape ||
      !(type instanceof ObjectType) ||
      !Array.isArray(items) ||
      (isFortran && lengths.length > 1)
    ) {
      this.#refuse("an array of objects in C order", "another");
      return;
    }
    target.shape = lengths as number[];
    target.items = items;
  }

  #remember(place: number): void {
    if (this.#stack.length === 0) this.#refuse("a well-formed pickle", "an empty stack");
    this.#memo[place] = this.#stack.at(-1);
  }

  #recall(place: number): void {
    if (!(place in this.#memo)) this.#refuse("a well-formed pickle", `no memo ${place}`);
    this.#stack.push(this.#memo[place]);
  }

  run(): unknown {
    const bytes = this.#bytes;
    const stack = this.#stack;
    for (;;) {
      const at = this.#at;
      const code = bytes[at];
      // Integers first: they are nearly all there is. What breaks off inside of one is found at the next instruction.
      if (code === 0x4b) {
        stack.push(bytes[at + 1]);
        this.#at = at + 2;
      } else if (code === 0x4d) {
        stack.push(bytes[at + 1] | (bytes[at + 2] << 8));
        this.#at = at + 3;
      } else if (code === 0x4a) {
        stack.push(bytes[at + 1] | (bytes[at + 2] << 8) | (bytes[at + 3] << 16) | (bytes[at + 4] << 24));
        this.#at = at + 5;
      } else if (code === 0x2e) return this.#pop();
      else {
        this.#take(1);
        this.#other(code);
      }
    }
  }

  #other(code: number): void {
    const stack = this.#stack;
    switch (code) {
      case 0x80: // PROTO
        if (this.#u8() > 5) this.#refuse("a pickle of protocol 5 or less", "a later one");
        return;
      case 0x95: // FRAME
        this.#take(8);
        return;
      case 0x28:
        stack.push(MARK);
        return;
      case 0x5d: // EMPTY_LIST
        stack.push([]);
        return;
      case 0x6c: // LIST
        stack.push(this.#marked());
        return;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return;
      case 0x65: // APPENDS
        this.#append(this.#marked());
        return;
      case 0x71: // BINPUT
        this.#remember(this.#u8());
        return;
      case 0x72: // LONG_BINPUT
        this.#remember(this.#u32());
        return;
      case 0x70: // PUT
        this.#remember(Number(this.#line()));
        return;
      case 0x94: // MEMOIZE
        this.#remember(this.#memo.length);
        return;
      case 0x68: // BINGET
        this.#recall(this.#u8());
        return;
      case 0x6a: // LONG_BINGET
        this.#recall(this.#u32());
        return;
      case 0x67: // GET
        this.#recall(Number(this.#line()));
        return;
      case 0x49: // INT, and booleans of old
      case 0x4c: {
        // LONG
        const text = this.#line();
        if (!/^-?\d+L?$/.test(text)) this.#refuse("integers", brief(text));
        stack.push(text === "00" ? false : text === "01" ? true : Number.parseInt(text, 10));
        return;
      }
      case 0x8a: // LONG1
        stack.push(this.#long(this.#u8()));
        return;
      case 0x4e: // NONE
        stack.push(null);
        return;
      case 0x88:
        stack.push(true);
        return;
      case 0x89:
        stack.push(false);
        return;
      case 0x29: // EMPTY_TUPLE
        this.#tuple(0);
        return;
      case 0x85: // TUPLE1
        this.#tuple(1);
        return;
      case 0x86: // TUPLE2
        this.#tuple(2);
        return;
      case 0x87: // TUPLE3
        this.#tuple(3);
        return;
      case 0x74: // TUPLE
        stack.push(new Tuple(this.#marked()));
        return;
      case 0x55: // SHORT_BINSTRING
      case 0x43: // SHORT_BINBYTES
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.#text(this.#u8()));
        return;
      case 0x54: // BINSTRING
      case 0x42: // BINBYTES
      case 0x58: // BINUNICODE
        stack.push(this.#text(this.#u32()));
        return;
      case 0x63: {
        // GLOBAL
        const module = this.#line();
        this.#global(module, this.#line());
        return;
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop();
        this.#global(this.#pop(), name);
        return;
      }
      case 0x52: // REDUCE
        this.#call();
        return;
      case 0x62: // BUILD
        this.#build();
        return;
      default: {
        const name = REFUSED[code] ?? `instruction 0x${code.toString(16)}`;
        this.#refuse("integers and lists alone", `${name}, at byte ${this.#at - 1}`);
      }
    }
  }
}
