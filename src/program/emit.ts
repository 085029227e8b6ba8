// Emits a program as one WebAssembly module without imports: the kernels it calls, the weights as data, and a function
// that makes the same calls in the same order as run.ts. Everything else of the build is removed.
import { UnreelError } from "../errors.js";
import {
  type Argument,
  type Base,
  type Call,
  derivedDims,
  isLoop,
  isPointer,
  type Loop,
  type Pointer,
  type Program,
  runtimeDims,
  type Step,
  storages,
} from "./program.js";
import { type Dim, quotientOf, Size } from "./size.js";

export interface EmitOptions {
  /** Bytes of the kernels' build to start from. */
  readonly kernels: Uint8Array;
  /** The constants of the kernels: memory from 0 to the first byte that they leave free. */
  readonly constants: Uint8Array;
  /** The bytes of the weights, as they lie in linear memory. */
  readonly weights: Uint8Array;
  /** Calls that pack weights: made once, when the module starts; and the bytes that they fill. */
  readonly packing: Program;
  readonly packedBytes: number;
  /** The bytes of working memory, from the plan. */
  readonly work: Size;
  /** The largest value of each run-time dimension: fixes the module's memory. */
  readonly largest: Readonly<Record<string, number>>;
  /** What makes the module tell of itself. Without it, only the function and the memory are exported. */
  readonly interface?: EmitInterface;
}

export interface EmitInterface {
  /** Functions that take the run-time dimensions and give the address of a block. */
  readonly addresses: Readonly<Record<string, Pointer>>;
  /** Pairs that must be equal, and the least that each length must be: the function traps where they are not, as it does for
   * dimensions below 1 or above the largest. */
  readonly equal: readonly { readonly a: Dim; readonly b: Dim }[];
  readonly least: readonly { readonly length: Dim; readonly least: number }[];
  /** A custom section, by name. */
  readonly section: readonly [name: string, text: string];
}

export interface Emitted {
  readonly bytes: Uint8Array;
  /** Arguments of the exported function, in order. */
  readonly dims: readonly string[];
  /** Address of a working block for given dimensions: where inputs go and outputs are found. */
  address(storage: string, dims: Readonly<Record<string, number>>): number;
}

const PAGE = 65536;

/** Not a dependency, as it weighs a hundred megabytes and few emit modules. Bundlers leave the import alone: a page that emits has an
 * import map for it. */
async function loadBinaryen(): Promise<Binaryen> {
  const name = "binaryen";
  try {
    return (await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name))
      .default;
  } catch (error) {
    throw new UnreelError({
      operation: "a WebAssembly module",
      expected: "the package binaryen",
      got: error instanceof Error ? error.message : String(error),
      hint: "npm install binaryen; in a page, an import map that names it.",
    });
  }
}

/** The module has two exports: `memory`, and a function with the program's name that takes its run-time dimensions. */
export async function emit(program: Program, options: EmitOptions): Promise<Emitted> {
  const binaryen = await loadBinaryen();
  const module = binaryen.readBinary(options.kernels);
  module.setFeatures(binaryen.Features.All);
  const { i32 } = binaryen;
  const dims = runtimeDims(program);
  const derived = derivedDims(program);
  const align = (bytes: number) => Math.ceil(bytes / 64) * 64;
  const bases: Record<Base, number> = {
    weights: align(options.constants.length),
    training: 0,
    state: 0,
    packed: 0,
    work: 0,
  };
  bases.packed = bases.weights + align(options.weights.length);
  bases.work = bases.packed + align(options.packedBytes);
  const end = bases.work + options.work.evaluate(options.largest) + 64;

  // The function's locals, behind its parameters: dimensions that follow from those, then the turn of a loop.
  const locals = [...dims, ...derived];
  const turn = locals.length;
  const polynomial = (size: Size, constant = 0) => {
    let sum = module.i32.const(constant + (size.terms.get("") ?? 0));
    for (const [key, coefficient] of size.terms) {
      if (key === "") continue;
      let product = module.i32.const(coefficient);
      for (const factor of key.split("*")) {
        product = module.i32.mul(product, module.local.get(locals.indexOf(factor), i32));
      }
      sum = module.i32.add(sum, product);
    }
    return sum;
  };
  const number = (value: number, type: number) => {
    if (type === binaryen.f32) return module.f32.const(value);
    return type === binaryen.f64 ? module.f64.const(value) : module.i32.const(value);
  };
  const argument = (arg: Argument, type: number) => {
    if (typeof arg === "number") return number(arg, type);
    if (!isPointer(arg)) return polynomial(arg as Size);
    const { storage, offset, stride } = arg;
    const start = polynomial(storage.address!.plus(offset), bases[storage.base]);
    return stride
      ? module.i32.add(start, module.i32.mul(module.local.get(turn, i32), polynomial(stride)))
      : start;
  };
  const internal = exportedFunctions(binaryen, module);
  const emitCall = ({ kernel, args }: Call) => {
    const { name, params, results } = internal.get(kernel)!;
    const call = module.call(
      name,
      args.map((arg, place) => argument(arg, params[place])),
      results,
    );
    return results === binaryen.none ? call : module.drop(call);
  };
  const emitLoop = ({ count, backwards, body }: Loop) => {
    const step = (by: number) =>
      module.local.set(turn, module.i32.add(module.local.get(turn, i32), module.i32.const(by)));
    const more = () =>
      backwards
        ? module.i32.ge_s(module.local.get(turn, i32), module.i32.const(0))
        : module.i32.lt_s(module.local.get(turn, i32), polynomial(count));
    const first = backwards ? polynomial(count, -1) : module.i32.const(0);
    const turns = module.loop(
      "turns",
      module.block(null, [...body.map(emitCall), step(backwards ? -1 : 1), module.br("turns", more())]),
    );
    return module.block(null, [module.local.set(turn, first), module.if(more(), turns)]);
  };
  const emitSteps = (steps: readonly Step[], before: number[] = []) =>
    module.block(null, [...before, ...steps.map((step) => (isLoop(step) ? emitLoop(step) : emitCall(step)))]);
  // max(0, ⌊numerator / divisor⌋); below zero it does not matter where a quotient is rounded to.
  const derive = (name: string) => {
    const { numerator, divisor } = quotientOf(name)!;
    const local = locals.indexOf(name);
    const value = () => module.local.get(local, i32);
    const zero = () => module.i32.const(0);
    return [
      module.local.set(local, module.i32.div_s(polynomial(numerator), module.i32.const(divisor))),
      module.local.set(local, module.select(module.i32.gt_s(value(), zero()), value(), zero())),
    ];
  };
  const parameters = binaryen.createType(dims.map(() => i32));
  const ownLocals = locals.slice(dims.length).map(() => i32);
  const { addresses = {}, equal = [], least = [], section } = options.interface ?? {};
  const trapIf = (condition: number) => module.if(condition, module.unreachable());
  const isWrong = (name: string) =>
    module.i32.gt_u(
      module.i32.sub(module.local.get(locals.indexOf(name), i32), module.i32.const(1)),
      module.i32.const(options.largest[name] - 1),
    );
  const sized = (size: Dim) => polynomial(Size.of(size));
  const guards = () => [
    ...equal.map(({ a, b }) => trapIf(module.i32.ne(sized(a), sized(b)))),
    ...least.map(({ length, least }) => trapIf(module.i32.lt_s(sized(length), module.i32.const(least)))),
  ];
  module.addFunction(
    program.name,
    parameters,
    binaryen.none,
    ownLocals.concat(i32),
    emitSteps(program.steps, [
      ...(options.interface ? dims.map((name) => trapIf(isWrong(name))) : []),
      ...derived.flatMap(derive),
      ...guards(),
    ]),
  );
  for (const [name, { storage, offset }] of Object.entries(addresses)) {
    const place = polynomial(storage.address!.plus(offset), bases[storage.base]);
    const body = module.block(null, [...derived.flatMap(derive), module.return(place)], i32);
    module.addFunction(`address.${name}`, parameters, i32, ownLocals, body);
  }
  const packing = emitSteps(options.packing.steps);
  const start = module.addFunction("start", binaryen.none, binaryen.none, [], packing);
  if (options.packing.steps.length > 0) module.setStart(start);

  for (let index = module.getNumExports() - 1; index >= 0; index--) {
    module.removeExport(binaryen.getExportInfo(module.getExportByIndex(index)).name);
  }
  module.addFunctionExport(program.name, program.name);
  for (const name of Object.keys(addresses)) module.addFunctionExport(`address.${name}`, name);
  if (section) module.addCustomSection(section[0], new TextEncoder().encode(section[1]));
  const constants = { offset: module.i32.const(0), data: options.constants, passive: false };
  const weights = { offset: module.i32.const(bases.weights), data: options.weights, passive: false };
  module.setMemory(Math.ceil(end / PAGE), Math.ceil(end / PAGE), "memory", [constants, weights]);
  binaryen.setOptimizeLevel(3);
  // Not on the kernels, whose constants would become longer.
  for (const name of [program.name, "start", ...Object.keys(addresses).map((each) => `address.${each}`)])
    module.runPassesOnFunction(name, ["precompute", "vacuum"]);
  module.runPasses(["remove-unused-module-elements"]);
  const bytes = module.emitBinary();
  module.dispose();

  const blocks = new Map([...storages(program)].map((storage) => [storage.name, storage]));
  return {
    bytes,
    dims,
    address: (name, values) => {
      const storage = blocks.get(name)!;
      return bases[storage.base] + storage.address!.evaluate(values);
    },
  };
}

type Binaryen = typeof import("binaryen").default;

/** The kernels of a build by the name they are exported under. */
function exportedFunctions(binaryen: Binaryen, module: import("binaryen").default.Module) {
  const found = new Map<string, { name: string; params: number[]; results: number }>();
  for (let index = 0; index < module.getNumExports(); index++) {
    const { kind, name, value } = binaryen.getExportInfo(module.getExportByIndex(index));
    if (kind !== binaryen.ExternalFunction) continue;
    const info = binaryen.getFunctionInfo(module.getFunction(value));
    found.set(name, { name: value, params: binaryen.expandType(info.params), results: info.results });
  }
  return found;
}
