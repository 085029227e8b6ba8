// Where the kernels' own memory ends and the host's begins. The host allocates; kernels never do.

/** The first byte that belongs to the host. */
export function heapBase(): usize {
  return __heap_base;
}
