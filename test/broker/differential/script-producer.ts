import type { SequenceChoice } from './operation.ts';

interface SentBatch {
  readonly sequence: number;
  readonly count: number;
}

/** What a producer of a script knows from the answers it got. */
export class ScriptProducer {
  readonly isIdempotent: boolean;
  readonly transactionalId: string | undefined;
  producerId = -1;
  epoch = -1;
  /** Batches that were accepted in this epoch, by partition. */
  #sent = new Map<string, SentBatch[]>();

  constructor(isIdempotent: boolean, transactionalId: string | undefined) {
    this.isIdempotent = isIdempotent;
    this.transactionalId = transactionalId;
  }

  become(producerId: number, epoch: number): void {
    if (producerId === this.producerId && epoch === this.epoch) return;
    this.producerId = producerId;
    this.epoch = epoch;
    this.#sent = new Map();
  }

  /** First sequence number and number of records of the batch to send. */
  choose(partition: string, choice: SequenceChoice, count: number): SentBatch {
    const sent = this.#sent.get(partition) ?? [];
    const last = sent.at(-1);
    const next = last === undefined ? 0 : last.sequence + last.count;
    switch (choice) {
      case 'repeat':
        return last ?? { sequence: next, count };
      case 'earlier':
        return sent.at(-7) ?? sent.at(-3) ?? { sequence: next, count };
      case 'gap':
        return { sequence: next + 2, count };
      case 'restart':
        return { sequence: 0, count };
      case 'next':
        return { sequence: next, count };
    }
  }

  accepted(partition: string, batch: SentBatch): void {
    const sent = this.#sent.get(partition) ?? [];
    this.#sent.set(partition, sent);
    const last = sent.at(-1);
    if (last === undefined || batch.sequence === last.sequence + last.count) sent.push(batch);
  }
}
