import { FatalStreamsError } from '@millrace/core';
import { describeTransactions, initProducerId, type InitProducerIdRequest, type ResponseInput } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { answerLost } from '../scripted-transport/scripted-transport.ts';
import { EpochAuthority } from './epoch-authority.ts';

const CONCURRENT_TRANSACTIONS = 51;
const PRODUCER_FENCED = 90;

/** Hands out epochs as a coordinator does: a take-over bumps always, a holder's request only while nobody took over. */
function coordinator() {
  let epoch = -1;
  let lastEpoch = -1;
  const answer = ({ producerId, producerEpoch }: InitProducerIdRequest): ResponseInput<typeof initProducerId> => {
    const isTakeOver = producerId === -1;
    if (!isTakeOver && producerEpoch === lastEpoch) return { errorCode: 0, producerId: 7, producerEpoch: epoch };
    if (!isTakeOver && producerEpoch !== epoch) return { errorCode: PRODUCER_FENCED, producerEpoch: -1 };
    lastEpoch = isTakeOver ? -1 : epoch;
    epoch++;
    return { errorCode: 0, producerId: 7, producerEpoch: epoch };
  };
  return {
    answer,
    get epoch() {
      return epoch;
    },
  };
}

function authority() {
  const kafka = scriptedKafka();
  const { transport, clock, cluster } = kafka;
  const held = coordinator();
  transport.on(initProducerId, held.answer);
  const epochs = new EpochAuthority(cluster, { transactionalId: 'app-1', transactionTimeoutMs: 10_000 });
  return { ...kafka, held, epochs, takeOver: () => clock.until(epochs.takeOver(undefined)) };
}

describe('taking a transactional id over', () => {
  it('takes one request when it is answered', async () => {
    const { transport, takeOver } = authority();
    expect((await takeOver()).identity).toEqual({ producerId: 7, producerEpoch: 0 });
    expect(transport.bodies(initProducerId)).toHaveLength(1);
  });

  it('ends with the epoch that is in force although a request that was given up is executed after its repetition', async () => {
    const { transport, held, takeOver } = authority();
    let stray: InitProducerIdRequest | undefined;
    transport
      .once(initProducerId, (request) => {
        stray = request;
        return answerLost();
      })
      .once(initProducerId, (request) => {
        const answer = held.answer(request);
        // Two connections: the broker is free to look at the older one last.
        held.answer(stray as InitProducerIdRequest);
        return answer;
      });
    const { identity } = await takeOver();
    expect(identity).toEqual({ producerId: 7, producerEpoch: held.epoch });
  });

  it('ends with the epoch that is in force when every other answer is lost', async () => {
    const { transport, held, takeOver } = authority();
    for (let i = 0; i < 3; i++) {
      transport
        .once(initProducerId, (request) => {
          held.answer(request);
          return answerLost();
        })
        .once(initProducerId, held.answer);
    }
    const { identity } = await takeOver();
    expect(identity).toEqual({ producerId: 7, producerEpoch: held.epoch });
  });

  it('takes the id again from another incarnation, whose turn it then is to notice', async () => {
    const { transport, held, takeOver } = authority();
    transport.once(initProducerId, answerLost).once(initProducerId, (request) => {
      const answer = held.answer(request);
      held.answer({ ...request, producerId: -1, producerEpoch: -1 });
      return answer;
    });
    expect((await takeOver()).identity.producerEpoch).toBe(held.epoch);
  });
});

describe('going on after an abort, before Kafka 4.0', () => {
  const refused = (errorCode: number) => ({ errorCode, producerId: -1, producerEpoch: -1 });

  /** A holder of epoch 0 whose request aborts its transaction: the coordinator takes epoch 1 for that. */
  async function aborted(found: { state: string; producerId?: number; epoch: number }, transactionVersion = 1) {
    const { transport, takeOver, epochs, clock } = authority();
    transport.finalizedFeatures.set('transaction.version', transactionVersion);
    const { identity } = await takeOver();
    transport
      .once(initProducerId, () => refused(CONCURRENT_TRANSACTIONS))
      .once(initProducerId, () => refused(PRODUCER_FENCED))
      .on(initProducerId, ({ producerId, producerEpoch }) => ({ errorCode: 0, producerId, producerEpoch: producerEpoch + 1 }))
      .on(describeTransactions, ({ transactionalIds }) => ({
        transactionStates: transactionalIds.map((transactionalId) => ({
          ...{ errorCode: 0, transactionalId, transactionTimeoutMs: 10_000, transactionStartTimeMs: -1, topics: [] },
          ...{ transactionState: found.state, producerId: found.producerId ?? 7, producerEpoch: found.epoch },
        })),
      }));
    return { transport, renewal: clock.until(epochs.renew(identity)) };
  }

  it('the holder takes the epoch after the one with which the coordinator has fenced it', async () => {
    const { renewal } = await aborted({ state: 'CompleteAbort', epoch: 1 });
    expect(await renewal).toEqual({ producerId: 7, producerEpoch: 2 });
  });

  it.each([
    ['a successor works', { state: 'Ongoing', epoch: 1 }],
    ['a successor has begun', { state: 'Empty', epoch: 1 }],
    ['a successor had a transaction to abort', { state: 'CompleteAbort', epoch: 2 }],
    ['a successor got another producer id', { state: 'CompleteAbort', producerId: 8, epoch: 1 }],
  ])('it gives up when %s', async (_case, found) => {
    const { renewal } = await aborted(found);
    await expect(renewal).rejects.toMatchObject({ name: 'TaskMigratedError', code: 'PRODUCER_FENCED' });
  });

  it('it gives up when nobody tells', async () => {
    const { transport, renewal } = await aborted({ state: 'CompleteAbort', epoch: 1 });
    transport.on(describeTransactions, () => {
      throw new FatalStreamsError('UNSUPPORTED_VERSION', 'no');
    });
    await expect(renewal).rejects.toMatchObject({ name: 'TaskMigratedError' });
  });

  it('with transactions v2 nobody is asked', async () => {
    const { transport, renewal } = await aborted({ state: 'CompleteAbort', epoch: 1 }, 2);
    await expect(renewal).rejects.toMatchObject({ name: 'TaskMigratedError' });
    expect(transport.bodies(describeTransactions)).toHaveLength(0);
  });
});
