// A transform of the AssemblyScript compiler (build.js): functions decorated with `@call` stay calls. Else binaryen, asked for
// speed, compiles them into each of their callers. Not here: which functions those are.
import { Transform } from "assemblyscript/transform";

export default class Calls extends Transform {
  afterCompile(module) {
    for (const [name, { declaration }] of this.program.instancesByName) {
      if (!declaration.decorators?.some((decorator) => decorator.name.text === "call")) continue;
      this.binaryen.setPassArgument("no-inline", name);
      module.runPasses(["no-inline"]);
    }
  }
}
