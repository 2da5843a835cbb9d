/** One header of a record. Names may repeat; order is kept. */
export interface Header {
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** The headers of a record, in order. Never changed in place. */
export type Headers = readonly Header[];

/** The one empty list: records without headers share it, so the record path allocates nothing for them. */
export const NO_HEADERS: Headers = Object.freeze([]);

/** The value of the last header of that name, or `undefined`. */
export function lastHeader(headers: Headers, key: string): Uint8Array | undefined {
  for (let i = headers.length - 1; i >= 0; i--) {
    const header = headers[i];
    if (header !== undefined && header.key === key) return header.value;
  }
  return undefined;
}
