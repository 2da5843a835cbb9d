import type { Transfer, TransferSchedule } from './transfer.ts';

/** Which transfers a line makes. */
export type LineName = Pick<Transfer, 'connection' | 'nodeId' | 'direction'>;

/** Takes what arrives; calls back when it can take more. */
export type Receiver = (bytes: Buffer | undefined, received: () => void) => void;

interface Sent {
  readonly bytes: Buffer | undefined;
  readonly done: () => void;
  isDue: boolean;
}

/** One direction of a connection: what was sent arrives in order, each when its delivery is due. */
export class TransferLine {
  readonly #name: LineName;
  readonly #schedule: TransferSchedule;
  readonly #receive: Receiver;
  readonly #sent: Sent[] = [];
  #isDelivering = false;

  constructor(name: LineName, schedule: TransferSchedule, receive: Receiver) {
    this.#name = name;
    this.#schedule = schedule;
    this.#receive = receive;
  }

  /** @param done called when the receiver can take more, or nothing will ever arrive */
  send(bytes: Buffer | undefined, done: () => void): void {
    const sent: Sent = { bytes, done, isDue: false };
    this.#sent.push(sent);
    const deliver = (): void => {
      sent.isDue = true;
      this.#deliver();
    };
    this.#schedule({ ...this.#name, bytes, deliver });
  }

  /** Forgets what has not arrived. */
  cut(): void {
    for (const { done } of this.#sent.splice(0)) done();
  }

  /** In a loop, because what arrives may cause further transfers that are due at once. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    while (this.#sent[0]?.isDue === true) {
      const { bytes, done } = this.#sent.shift() as Sent;
      this.#receive(bytes, done);
    }
    this.#isDelivering = false;
  }
}
