import { ByteBuffer, CorruptDataError, readInt64, readWith, type Serde, writeWith } from '@millrace/core';
import type { WindowedKey } from '@millrace/state';

/** A serde of windowed keys. The inner one is there so that sinks can choose the partition by the key alone. */
export interface WindowedSerde<K> extends Serde<WindowedKey<K>> {
  readonly inner: Serde<K>;
}

/**
 * Keys of time-windowed results on topics: `[key][window start, int64]`, Kafka's `TimeWindowedSerializer`. The size is not
 * part of the bytes: whoever reads must know it.
 *
 * @param windowSizeMs size of the windows that are read; Kafka: `window.size.ms`
 * @example topic('counts-per-minute', { key: timeWindowedSerde(string(), 60_000), value: int64() })
 */
export function timeWindowedSerde<K>(inner: Serde<K>, windowSizeMs: number): WindowedSerde<K> {
  return windowedSerde(`time-windowed ${inner.name}`, inner, {
    length: 8,
    write(key, target) {
      target.writeInt64(key.window.start);
    },
    read(source, at) {
      const start = readInt64(source, at);
      return { start, end: start + windowSizeMs };
    },
  });
}

/** Keys of session-windowed results on topics: `[key][end, int64][start, int64]`, Kafka's `SessionWindowedSerializer`. */
export function sessionWindowedSerde<K>(inner: Serde<K>): WindowedSerde<K> {
  return windowedSerde(`session-windowed ${inner.name}`, inner, {
    length: 16,
    write(key, target) {
      target.writeInt64(key.window.end);
      target.writeInt64(key.window.start);
    },
    read: (source, at) => ({ start: readInt64(source, at + 8), end: readInt64(source, at) }),
  });
}

/** How the window itself is written, behind the bytes of the key. */
interface WindowSuffix {
  readonly length: number;
  write(key: WindowedKey<unknown>, target: ByteBuffer): void;
  read(source: Buffer, at: number): { readonly start: number; readonly end: number };
}

function windowedSerde<K>(name: string, inner: Serde<K>, suffix: WindowSuffix): WindowedSerde<K> {
  const read = (source: Buffer, start: number, end: number, topic: string): WindowedKey<K> => {
    const split = end - suffix.length;
    if (split < start) {
      throw new CorruptDataError('INVALID_WINDOWED_KEY', `${name} serde: ${end - start} bytes are too few for a windowed key`, {
        topic,
      });
    }
    return { key: readWith(inner, source, start, split, topic), window: suffix.read(source, split) };
  };
  return {
    name,
    inner,
    immutable: inner.immutable ?? false,
    serialize(key, topic) {
      const bytes = inner.serialize(key.key, topic);
      const target = new ByteBuffer(bytes.length + suffix.length);
      target.writeBytes(bytes);
      suffix.write(key, target);
      return target.view();
    },
    deserialize: (bytes, topic) =>
      read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength, topic),
    write(key, target, topic) {
      writeWith(inner, key.key, target, topic);
      suffix.write(key, target);
    },
    read,
  };
}
