import { ByteBuffer, latin1Slice, readWith, type Serde, writeWith } from '@millrace/core';

/** What stands for a key in a `Map`: the key itself when it is a primitive, else its bytes as latin-1 text. */
export type KeyIdentity = unknown;

/** Turns keys into map keys and bytes. */
export interface KeyCodec<K> {
  identity(key: K): KeyIdentity;
  key(identity: KeyIdentity): K;
  /** The identity of serialised bytes. */
  identityAt(source: Buffer, start: number, end: number): KeyIdentity;
  write(identity: KeyIdentity, target: ByteBuffer): void;
  /** Roughly the bytes that the identity occupies. */
  size(identity: KeyIdentity): number;
}

/** Keys are used as map keys directly when their serde says that they can be: no serialisation per look-up. */
export function keyCodec<K>(serde: Serde<K>, topic: string): KeyCodec<K> {
  return serde.primitive === true ? new PrimitiveKeys(serde, topic) : new EncodedKeys(serde, topic);
}

class PrimitiveKeys<K> implements KeyCodec<K> {
  readonly #serde: Serde<K>;
  readonly #topic: string;

  constructor(serde: Serde<K>, topic: string) {
    this.#serde = serde;
    this.#topic = topic;
  }

  identity(key: K): KeyIdentity {
    return key;
  }

  key(identity: KeyIdentity): K {
    return identity as K;
  }

  identityAt(source: Buffer, start: number, end: number): KeyIdentity {
    return readWith(this.#serde, source, start, end, this.#topic);
  }

  write(identity: KeyIdentity, target: ByteBuffer): void {
    writeWith(this.#serde, identity as K, target, this.#topic);
  }

  size(identity: KeyIdentity): number {
    return typeof identity === 'string' ? identity.length : 8;
  }
}

class EncodedKeys<K> implements KeyCodec<K> {
  readonly #serde: Serde<K>;
  readonly #topic: string;
  readonly #scratch = new ByteBuffer(256);

  constructor(serde: Serde<K>, topic: string) {
    this.#serde = serde;
    this.#topic = topic;
  }

  identity(key: K): KeyIdentity {
    this.#scratch.clear();
    writeWith(this.#serde, key, this.#scratch, this.#topic);
    return latin1Slice(this.#scratch.bytes, 0, this.#scratch.length);
  }

  key(identity: KeyIdentity): K {
    return this.#serde.deserialize(Buffer.from(identity as string, 'latin1'), this.#topic);
  }

  identityAt(source: Buffer, start: number, end: number): KeyIdentity {
    return latin1Slice(source, start, end);
  }

  write(identity: KeyIdentity, target: ByteBuffer): void {
    writeLatin1(identity as string, target);
  }

  size(identity: KeyIdentity): number {
    return (identity as string).length;
  }
}

/** Keys that are only bytes, in no serde's sense: for restoring, which must not run user code. */
export const RAW_KEYS: KeyCodec<string> = {
  identity: (text) => text,
  key: (identity) => identity as string,
  identityAt: latin1Slice,
  write: (identity, target) => writeLatin1(identity as string, target),
  size: (identity) => (identity as string).length,
};

function writeLatin1(text: string, target: ByteBuffer): void {
  target.reserve(text.length);
  target.length += target.bytes.write(text, target.length, 'latin1');
}
