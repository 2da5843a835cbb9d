/** What a request or a response begins with. */
export interface FrameHead {
  /** Of requests only: the bytes behind the length. */
  readonly apiKey: number;
  readonly correlationId: number;
}

const LENGTH_BYTES = 4;

/** Finds the frames in what one side of a connection sends, however it is cut. */
export class FrameWatch {
  readonly #side: 'request' | 'response';
  #rest: Buffer = Buffer.alloc(0);

  constructor(side: 'request' | 'response') {
    this.#side = side;
  }

  /** @returns the frames that end in these bytes */
  push(bytes: Buffer): FrameHead[] {
    const heads: FrameHead[] = [];
    let rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readInt32BE(0);
      if (rest.length < end) break;
      heads.push(this.#headOf(rest));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
    return heads;
  }

  #headOf(frame: Buffer): FrameHead {
    if (this.#side === 'response') return { apiKey: -1, correlationId: frame.readInt32BE(4) };
    return { apiKey: frame.readInt16BE(4), correlationId: frame.readInt32BE(8) };
  }
}
