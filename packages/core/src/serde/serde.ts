import type { ByteBuffer } from '../byte-buffer.ts';

/**
 * How a type becomes bytes and back. Pure functions: the same value always gives the same bytes.
 *
 * Absent keys and values (`undefined`, `null`) never reach a serde; the framework maps them to Kafka's null.
 *
 * `write` and `read` are optional forms of the same conversion that allocate no intermediate buffer; when present they must
 * agree with `serialize` and `deserialize`. The built-in serdes have them.
 *
 * @example
 * const date: Serde<Date> = {
 *   name: 'date',
 *   serialize: (value) => Buffer.from(value.toISOString()),
 *   deserialize: (bytes) => new Date(Buffer.from(bytes).toString()),
 * };
 */
export interface Serde<T> {
  /** Shown in errors. */
  readonly name: string;
  /**
   * @param topic the topic (or changelog topic) for which the bytes are meant
   * @throws RetriableError as for `deserialize`; anything else goes to the processing handler
   */
  serialize(value: T, topic: string): Uint8Array;
  /**
   * @throws RetriableError when nothing is wrong with the record, but something that reading it needs is away for a while, such as a
   *   schema registry: the worker goes back to its last commit and tries again, at growing intervals of up to 5 s
   * @throws anything else: the deserialisation handler decides what happens to the record
   */
  deserialize(bytes: Uint8Array, topic: string): T;
  write?(value: T, target: ByteBuffer, topic: string): void;
  read?(source: Buffer, start: number, end: number, topic: string): T;
  /**
   * True when values of this type are never changed in place once they have been handed to the framework. Stores then
   * keep the values themselves instead of their bytes, and skip a parse per read. Default false.
   */
  readonly immutable?: boolean;
  /**
   * True when values are JavaScript primitives and two values are `===` exactly when their bytes are equal. Such keys
   * serve as map keys directly. Implies `immutable`.
   */
  readonly primitive?: boolean;
}

/** Writes through `write` when the serde has it, else through `serialize`. */
export function writeWith<T>(serde: Serde<T>, value: T, target: ByteBuffer, topic: string): void {
  if (serde.write !== undefined) serde.write(value, target, topic);
  else target.writeBytes(serde.serialize(value, topic));
}

/** Reads through `read` when the serde has it, else through `deserialize` on a view. */
export function readWith<T>(serde: Serde<T>, source: Buffer, start: number, end: number, topic: string): T {
  return serde.read !== undefined ? serde.read(source, start, end, topic) : serde.deserialize(source.subarray(start, end), topic);
}
