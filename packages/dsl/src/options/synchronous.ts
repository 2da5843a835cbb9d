/**
 * The result type of functions that are called once per record. A promise is refused at compile time: nobody would wait for
 * it. At run time it is a ProcessingError `ASYNC_CALLBACK`.
 */
export type Sync<R> = R extends PromiseLike<unknown> ? PromiseRefused : R;

/** Shown by the compiler where a function for records returns a promise. */
export interface PromiseRefused {
  readonly 'Records are processed synchronously. For asynchronous work use mapAsync, mapValuesAsync, flatMapAsync, foreachAsync or processAsync.': never;
}
