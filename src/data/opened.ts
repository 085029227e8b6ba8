// Streams whose code is loaded when they are read.

/** A stream that is opened when its first element is asked for. Its elements are handed on as they are: a generator around it would cost
 * each of them turns of promises. */
export function opened<T>(open: () => Promise<AsyncGenerator<T>>): AsyncIterableIterator<T> {
  let opening: Promise<AsyncGenerator<T>> | undefined;
  let stream: AsyncGenerator<T> | undefined;
  const first = async () => {
    opening ??= open();
    stream = await opening;
    return stream.next();
  };
  return {
    next: () => (stream ? stream.next() : first()),
    async return() {
      opening ??= Promise.resolve((async function* () {})());
      return (await opening).return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
