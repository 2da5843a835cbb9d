import { assertName } from '@millrace/topology';

/**
 * Names of nodes and stores, generated as Kafka Streams does: a prefix and the next number of one counter per builder.
 *
 * A node that the user names takes a number nevertheless, so that naming one node leaves the names of the others alone. A
 * store that the user names does not.
 *
 * Source: Kafka Streams `InternalStreamsBuilder`, `NamedInternal`.
 */
export class Names {
  #next = 0;

  /** A generated node name. */
  next(prefix: string): string {
    return `${prefix}${this.#number()}`;
  }

  nextStore(prefix: string): string {
    return `${prefix}STATE-STORE-${this.#number()}`;
  }

  /**
   * The user's name, else a generated one.
   *
   * @throws TopologyError `INVALID_NAME`
   */
  orNext(name: string | undefined, prefix: string): string {
    const generated = this.next(prefix);
    if (name === undefined) return generated;
    assertName(name, 'node');
    return name;
  }

  /** The user's name with a suffix, else a generated one. */
  suffixedOrNext(name: string | undefined, suffix: string, prefix: string): string {
    return suffixedOr(name, suffix, this.next(prefix));
  }

  #number(): string {
    return String(this.#next++).padStart(10, '0');
  }
}

/** The user's name with a suffix, else the other one. Takes no number. */
export function suffixedOr(name: string | undefined, suffix: string, other: string): string {
  if (name === undefined) return other;
  const suffixed = name + suffix;
  assertName(suffixed, 'node');
  return suffixed;
}
