// Classes that may be called without `new`, as layers are.

/** The class itself; as a function it makes an instance. */
export function callable<C extends abstract new (...args: never[]) => unknown>(
  Class: C,
): C & ((...args: ConstructorParameters<C>) => InstanceType<C>) {
  return new Proxy(Class, {
    apply: (Target, _, args) => Reflect.construct(Target as never, args),
  }) as never;
}
