import { ByteBuffer, readWith, type Serde, writeWith } from '@millrace/core';

/** What memory keeps of a value: the value itself when nobody changes it in place, else its bytes. Never `undefined`. */
export type HeldValue = unknown;

/** Turns values into what is held in memory and into bytes. */
export interface ValueCodec<V> {
  hold(value: V): HeldValue;
  value(held: HeldValue): V;
  /** Takes a value out of serialised bytes, which are not kept. */
  holdAt(source: Buffer, start: number, end: number): HeldValue;
  write(held: HeldValue, target: ByteBuffer): void;
  /** Roughly the bytes that the value occupies. */
  size(held: HeldValue): number;
}

/** Values of immutable serdes are held as they are; all others as bytes, so that nobody shares an object with a store. */
export function valueCodec<V>(serde: Serde<V>, topic: string): ValueCodec<V> {
  return serde.immutable === true || serde.primitive === true
    ? new ImmutableValues(serde, topic)
    : new EncodedValues(serde, topic);
}

/** First guess at the size of an object, until some have been serialised. */
const OBJECT_BYTES = 128;

class ImmutableValues<V> implements ValueCodec<V> {
  readonly #serde: Serde<V>;
  readonly #topic: string;
  /** Running mean of serialised sizes: what an object is taken to occupy. */
  #meanBytes = OBJECT_BYTES;

  constructor(serde: Serde<V>, topic: string) {
    this.#serde = serde;
    this.#topic = topic;
  }

  hold(value: V): HeldValue {
    return value;
  }

  value(held: HeldValue): V {
    return held as V;
  }

  holdAt(source: Buffer, start: number, end: number): HeldValue {
    this.#learn(end - start);
    return readWith(this.#serde, source, start, end, this.#topic);
  }

  write(held: HeldValue, target: ByteBuffer): void {
    const start = target.length;
    writeWith(this.#serde, held as V, target, this.#topic);
    this.#learn(target.length - start);
  }

  size(held: HeldValue): number {
    if (typeof held === 'string') return held.length;
    return typeof held === 'object' ? this.#meanBytes : 8;
  }

  #learn(bytes: number): void {
    this.#meanBytes += (bytes - this.#meanBytes) / 16;
  }
}

class EncodedValues<V> implements ValueCodec<V> {
  readonly #serde: Serde<V>;
  readonly #topic: string;
  readonly #scratch = new ByteBuffer(1024);

  constructor(serde: Serde<V>, topic: string) {
    this.#serde = serde;
    this.#topic = topic;
  }

  hold(value: V): HeldValue {
    this.#scratch.clear();
    writeWith(this.#serde, value, this.#scratch, this.#topic);
    return copyOf(this.#scratch.bytes, 0, this.#scratch.length);
  }

  value(held: HeldValue): V {
    const bytes = held as Buffer;
    return readWith(this.#serde, bytes, 0, bytes.length, this.#topic);
  }

  holdAt(source: Buffer, start: number, end: number): HeldValue {
    return copyOf(source, start, end);
  }

  write(held: HeldValue, target: ByteBuffer): void {
    target.writeBytes(held as Buffer);
  }

  size(held: HeldValue): number {
    return (held as Buffer).length;
  }
}

/** Values that are only bytes, in no serde's sense: for restoring, which must not run user code. */
export const RAW_VALUES: ValueCodec<Buffer> = {
  hold: (value) => value,
  value: (held) => held as Buffer,
  holdAt: copyOf,
  write: (held, target) => target.writeBytes(held as Buffer),
  size: (held) => (held as Buffer).length,
};

function copyOf(source: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  source.copy(copy, 0, start, end);
  return copy;
}
