// Runs the kernels' own specs, each compiled with the kernel under test: npx asp --summary
// One of them: npx asp --summary tests/assembly/math.spec.ts
// The relaxed build, where the engine has it (Node 20 wants node --experimental-wasm-relaxed-simd before the path):
//   node node_modules/@as-pect/cli/lib/test.js --summary -a as-pect.relaxed.asconfig.json
const chosen = process.argv.some((argument) => argument.endsWith(".spec.ts"));

export default {
  entries: chosen ? [] : ["tests/assembly/*.spec.ts"],
  include: [],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
