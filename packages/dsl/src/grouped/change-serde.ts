import { assert, ByteBuffer, CorruptDataError, readWith, type Serde, writeWith } from '@millrace/core';
import type { ChangeSerde } from '@millrace/topology';

/** The last byte says what the others are. */
const OLD_ONLY = 0;
const NEW_ONLY = 1;
const BOTH = 2;
/** Added to the flag when a byte before it says whether the change is the latest one; Kafka Streams reads these, too. */
const WITH_LATEST = 3;

/**
 * How changes of a table travel through the repartition topic of `KTable.groupBy`, byte for byte as Kafka Streams writes them:
 * `{old}{0}`, `{new}{1}`, or `{length of new, zigzag varint}{new}{old}{2}`.
 *
 * Source: Kafka Streams `ChangedSerializer`, `ChangedDeserializer` (KIP-904). Their `upgrade.from` modes are not
 * supported.
 */
export function changeSerde<V>(value: Serde<V>): ChangeSerde {
  return new ChangeCodec(value);
}

class ChangeCodec<V> implements ChangeSerde {
  readonly #value: Serde<V>;
  readonly #scratch = new ByteBuffer(256);

  constructor(value: Serde<V>) {
    this.#value = value;
  }

  /** The bytes are valid until the next call. */
  serialize(newValue: unknown, oldValue: unknown, topic: string): Uint8Array {
    const scratch = this.#scratch;
    assert(newValue != null || oldValue != null, 'a change has an old or a new value');
    scratch.clear();
    if (newValue != null) this.#write(newValue as V, topic);
    if (newValue == null || oldValue == null) {
      if (newValue == null && oldValue != null) this.#write(oldValue as V, topic);
      scratch.writeUint8(newValue == null ? OLD_ONLY : NEW_ONLY);
      return scratch.view();
    }
    this.#insertLength(scratch.length);
    this.#write(oldValue as V, topic);
    scratch.writeUint8(BOTH);
    return scratch.view();
  }

  deserialize(bytes: Uint8Array, topic: string, target: { newValue: unknown; oldValue: unknown }): void {
    const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const flag = source[source.length - 1] ?? 255;
    if (flag >= 2 * WITH_LATEST) throw corrupt(`it ends in ${source.length === 0 ? 'nothing' : flag}`);
    const content = flag % WITH_LATEST;
    const end = source.length - (flag < WITH_LATEST ? 1 : 2);
    if (end < 0) throw corrupt('it is too short');
    if (content === BOTH) this.#readBoth(source, end, topic, target);
    else {
      const value = this.#read(source, 0, end, topic);
      target.newValue = content === NEW_ONLY ? value : undefined;
      target.oldValue = content === OLD_ONLY ? value : undefined;
    }
  }

  #readBoth(source: Buffer, end: number, topic: string, target: { newValue: unknown; oldValue: unknown }): void {
    let length = 0;
    let start = 0;
    let byte: number;
    do {
      if (start === 5 || start >= end) throw corrupt('its length is not a varint');
      byte = source[start] as number;
      length += (byte & 0x7f) * 2 ** (7 * start++);
    } while (byte >= 0x80);
    // Zigzag: even numbers are not negative.
    const oldStart = start + length / 2;
    if (length % 2 !== 0 || oldStart > end) throw corrupt(`its new value cannot be ${length / 2} bytes long`);
    target.newValue = this.#read(source, start, oldStart, topic);
    target.oldValue = this.#read(source, oldStart, end, topic);
  }

  #write(value: V, topic: string): void {
    writeWith(this.#value, value, this.#scratch, topic);
  }

  #read(source: Buffer, start: number, end: number, topic: string): V {
    return readWith(this.#value, source, start, end, topic);
  }

  /** Moves the new value behind its length, which is known only now. */
  #insertLength(length: number): void {
    const scratch = this.#scratch;
    const zigzag = length * 2;
    let size = 1;
    for (let rest = zigzag; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
    scratch.reserve(size);
    scratch.bytes.copyWithin(size, 0, length);
    let rest = zigzag;
    for (let i = 0; i < size - 1; i++) {
      scratch.bytes[i] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    scratch.bytes[size - 1] = rest;
    scratch.length += size;
  }
}

function corrupt(reason: string): CorruptDataError {
  return new CorruptDataError(
    'CHANGE_CORRUPT',
    `a record of a repartition topic is no change of a table: ${reason}; does something else write to that topic?`,
  );
}
