import { apis } from '@millrace/wire';

/** A request or its answer on its way through the proxy. */
export interface PassingFrame {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly side: 'request' | 'response';
  /** The frame as it is, with its size in front. */
  readonly bytes: Buffer;
}

/**
 * What happens to a frame.
 *
 * - a function: is called and waited for, then the frame goes on; `drop` as its result: it does not
 * - `swallow`: it vanishes, and with it everything behind it on that side of the connection, which stays open
 * - `cut`: both ends are reset in its place
 */
export type Action = 'swallow' | 'cut' | ((frame: PassingFrame) => Promise<unknown> | unknown);

export interface ProxyRule {
  /** Kafka's name of the API. */
  readonly api: string;
  readonly side: 'request' | 'response';
  /** How many that match go by before the first is hit. Default 0. */
  readonly skip?: number;
  /** How many are hit. Default 1. */
  readonly times?: number;
  readonly where?: (frame: PassingFrame) => boolean;
  /** No fault: it stays when the network heals. */
  readonly stays?: boolean;
  readonly action: Action;
}

/** A rule in use. */
export class ActiveRule {
  readonly rule: ProxyRule;
  readonly apiKey: number;
  /** Frames that it has hit. */
  hits = 0;
  #skipped = 0;
  #onHit: (() => void)[] = [];

  constructor(rule: ProxyRule) {
    const api = apis.find(({ name }) => name === rule.api);
    if (api === undefined) throw new Error(`no API is called ${rule.api}`);
    this.rule = rule;
    this.apiKey = api.key;
  }

  /** Resolves as soon as it has hit so many frames. */
  async hit(times = 1): Promise<void> {
    while (this.hits < times)
      await new Promise<void>((resolve) => {
        this.#onHit.push(resolve);
      });
  }

  /** @returns true when the frame is its to act on */
  takes(frame: PassingFrame): boolean {
    const { side, skip = 0, times = 1, where } = this.rule;
    if (frame.apiKey !== this.apiKey || frame.side !== side || this.hits >= times) return false;
    if (where?.(frame) === false) return false;
    if (this.#skipped < skip) {
      this.#skipped++;
      return false;
    }
    this.hits++;
    for (const resolve of this.#onHit.splice(0)) resolve();
    return true;
  }
}
