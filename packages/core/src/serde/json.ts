import type { ByteBuffer } from '../byte-buffer.ts';
import { utf8Slice } from '../native-buffer.ts';
import type { Serde } from './serde.ts';
import { validate, type StandardSchema } from './standard-schema.ts';

export interface JsonOptions {
  /**
   * Declares that the program never changes these values in place (it makes new ones instead), so that stores may keep
   * the parsed values. Default false: stores keep bytes and parse on each read, as Kafka Streams does.
   */
  readonly immutable?: boolean;
}

/**
 * JSON text in UTF-8.
 *
 * With a Standard Schema the value is validated, and transformed if the schema says so, each time it is read; the type
 * then comes from the schema.
 *
 * @throws SyntaxError, TypeError on reading bytes that are not JSON or do not fit the schema
 * @example json<Order>()
 * @example json(z.object({ id: z.string(), amount: z.number() }))
 */
export function json<T>(options?: JsonOptions): Serde<T>;
export function json<T>(schema: StandardSchema<T>, options?: JsonOptions): Serde<T>;
export function json<T>(first?: StandardSchema<T> | JsonOptions, second?: JsonOptions): Serde<T> {
  const schema = first !== undefined && '~standard' in first ? first : undefined;
  const options = schema === undefined ? (first as JsonOptions | undefined) : second;
  const parse =
    schema === undefined ? (text: string) => JSON.parse(text) as T : (text: string) => validate(schema, JSON.parse(text));
  return {
    name: 'json',
    immutable: options?.immutable ?? false,
    serialize: (value) => Buffer.from(stringify(value), 'utf8'),
    deserialize: (bytes) => parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')),
    write: (value, target: ByteBuffer) => target.writeUtf8(stringify(value)),
    read: (source, start, end) => parse(utf8Slice(source, start, end)),
  };
}

function stringify(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`json serde: a ${typeof value} has no JSON form`);
  return text;
}
