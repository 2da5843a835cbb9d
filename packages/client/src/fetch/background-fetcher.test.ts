import { RecordBatchHeader, fetch, RecordCursor, type FetchRequest } from '@millrace/wire';
import { FatalStreamsError } from '@millrace/core';
import { describe, expect, it } from 'vitest';
import type { FetchedPartition, Fetcher, FetcherOptions } from '../port/kafka-client.ts';
import { askedFor, batchAt, fetchAnswer, markerAt } from '../scripted-transport/scripted-fetch.ts';
import { scriptedKafka } from '../scripted-transport/scripted-kafka.ts';
import { answerLost } from '../scripted-transport/scripted-transport.ts';
import { BackgroundFetcher } from './background-fetcher.ts';

async function fetching(options: FetcherOptions = {}, topics?: Record<string, number[]>) {
  const kafka = scriptedKafka(topics);
  const { clock, transport, cluster } = kafka;
  // The broker keeps a question that it has nothing for.
  transport.on(fetch, async () => {
    await clock.sleep(100);
    return fetchAnswer();
  });
  const fetcher = new BackgroundFetcher(cluster, options);
  await cluster.topic('orders');
  const asked = () => transport.bodies(fetch).map(askedFor);
  return { ...kafka, fetcher, asked };
}

function values(fetched: FetchedPartition | undefined): string[] {
  const found: string[] = [];
  const cursor = new RecordCursor();
  for (const { buffer, header } of fetched?.batches ?? []) {
    cursor.open(buffer, header, fetched?.fetchOffset);
    while (cursor.next()) found.push(cursor.buffer.toString('utf8', cursor.valueStart, cursor.valueEnd));
  }
  return found;
}

function takeAll(fetcher: Fetcher): string[] {
  const found: string[] = [];
  for (let one = fetcher.take(); one !== undefined; one = fetcher.take()) found.push(...values(one));
  return found;
}

describe('the background fetcher', () => {
  it('hands out what arrives and goes on behind it', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(5, ['a', 'b']), highWatermark: 7 }));
    fetcher.assign('orders', 0, 5);
    await clock.settle();
    expect(fetcher.available).toBe(true);
    expect(fetcher.position('orders', 0)).toBe(5);
    expect(values(fetcher.take())).toEqual(['a', 'b']);
    expect(fetcher.position('orders', 0)).toBe(7);
    expect(fetcher.bounds('orders', 0)).toEqual({ highWatermark: 7, lastStableOffset: 7, logStartOffset: 0 });
    expect(asked()[1]).toEqual([{ partition: 0, fetchOffset: 7 }]);
  });

  it('shows a reader all partitions of an answer at once', async () => {
    const partitions = Array.from({ length: 12 }, (_, partition) => partition);
    const { transport, clock, fetcher } = await fetching({}, { orders: partitions.map(() => 1) });
    transport.once(fetch, () => fetchAnswer(...partitions.map((partition) => ({ partition, records: batchAt(5, ['a']) }))));
    for (const partition of partitions) fetcher.assign('orders', partition, 5);
    const seen = fetcher.wait(1_000).then(() => takeAll(fetcher));
    await clock.settle();
    expect(await seen).toHaveLength(12);
  });

  it('tells that offsets are missing from what it hands out', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(5, ['a']) }));
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(8, ['b']) }));
    fetcher.assign('orders', 0, 5);
    await clock.settle();
    expect([fetcher.take()?.hasGaps, fetcher.take()?.hasGaps]).toEqual([false, true]);
  });

  it('does not know the end of a partition after a failed request, until it is answered again', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, highWatermark: 5 })).once(fetch, () => answerLost());
    fetcher.assign('orders', 0, 5);
    await clock.settle();
    expect(fetcher.bounds('orders', 0)).toBeUndefined();
    transport.once(fetch, () => fetchAnswer({ partition: 0, highWatermark: 9 }));
    await clock.advance(2_000);
    expect(fetcher.bounds('orders', 0)).toMatchObject({ highWatermark: 9 });
  });

  it('asks for all partitions of a leader in one request, and for one at a time', async () => {
    const { clock, fetcher, asked } = await fetching({}, { orders: [1, 1, 2] });
    for (const partition of [0, 1, 2]) fetcher.assign('orders', partition, 0);
    await clock.settle();
    expect(asked()).toEqual([
      [
        { partition: 0, fetchOffset: 0 },
        { partition: 1, fetchOffset: 0 },
      ],
      [{ partition: 2, fetchOffset: 0 }],
    ]);
  });

  it('skips records in front of the position when the batch begins earlier', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(3, ['a', 'b', 'c']) }));
    fetcher.assign('orders', 0, 4);
    await clock.settle();
    expect(takeAll(fetcher)).toEqual(['b', 'c']);
  });

  it('ignores a batch that is cut off at the end', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    const cut = batchAt(2, ['lost']).subarray(0, 50);
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: Buffer.concat([batchAt(0, ['a', 'b']), cut]) }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    expect(takeAll(fetcher)).toEqual(['a', 'b']);
    expect(asked()[1]).toEqual([{ partition: 0, fetchOffset: 2 }]);
  });

  it('moves past aborted and control batches although nothing of them can be seen', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    const records = Buffer.concat([batchAt(0, ['gone'], { producerId: 9, transactional: true }), markerAt(1, 9, 'abort')]);
    transport.once(fetch, () => fetchAnswer({ partition: 0, records, abortedTransactions: [{ producerId: 9, firstOffset: 0 }] }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    const fetched = fetcher.take();
    expect(fetched).toMatchObject({ batches: [], nextOffset: 2 });
    expect(fetcher.position('orders', 0)).toBe(2);
    expect(asked()[1]).toEqual([{ partition: 0, fetchOffset: 2 }]);
  });

  it('shows everything but markers when it reads uncommitted', async () => {
    const { transport, clock, fetcher } = await fetching({ isolation: 'read_uncommitted' });
    const records = Buffer.concat([batchAt(0, ['open'], { producerId: 9, transactional: true }), markerAt(1, 9, 'abort')]);
    transport.once(fetch, () => fetchAnswer({ partition: 0, records }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    expect(takeAll(fetcher)).toEqual(['open']);
    expect(transport.bodies(fetch)[0]?.isolationLevel).toBe(0);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('hands out %s batches uncompressed', async (compression) => {
    const { transport, clock, fetcher } = await fetching();
    const { loadCodecs } = await import('@millrace/wire');
    await loadCodecs();
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(0, ['a', 'b'], { compression }) }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    const fetched = fetcher.take();
    expect(fetched?.batches[0]?.header.compressionId).toBe(0);
    expect(values(fetched)).toEqual(['a', 'b']);
  });

  it('drops an answer that a seek has overtaken', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    let answer: (value: ReturnType<typeof fetchAnswer>) => void = () => undefined;
    transport.once(
      fetch,
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    fetcher.seek('orders', 0, 50);
    answer(fetchAnswer({ partition: 0, records: batchAt(0, ['stale']) }));
    await clock.settle();
    expect(takeAll(fetcher)).toEqual([]);
    expect(fetcher.position('orders', 0)).toBe(50);
    expect(asked()[1]).toEqual([{ partition: 0, fetchOffset: 50 }]);
  });

  it('drops an answer, and what is buffered, when the partition is unassigned and assigned again', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(0, ['old']) }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    fetcher.unassign('orders', 0);
    fetcher.assign('orders', 0, 10);
    expect(takeAll(fetcher)).toEqual([]);
    expect(fetcher.available).toBe(false);
    expect(fetcher.position('orders', 0)).toBe(10);
  });

  it('keeps what a paused partition has, asks for no more of it, and hands it out when it resumes', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    transport.once(fetch, () =>
      fetchAnswer({ partition: 0, records: batchAt(0, ['a']) }, { partition: 1, records: batchAt(0, ['b']) }),
    );
    fetcher.assign('orders', 0, 0);
    fetcher.assign('orders', 1, 0);
    await clock.settle();
    fetcher.pause('orders', 0);
    expect(takeAll(fetcher)).toEqual(['b']);
    expect(fetcher.available).toBe(false);
    await clock.advance(500);
    expect(asked().at(-1)).toEqual([{ partition: 1, fetchOffset: 1 }]);
    fetcher.resume('orders', 0);
    expect(takeAll(fetcher)).toEqual(['a']);
  });

  it('goes on with the others while one partition is not taken from', async () => {
    const { transport, clock, fetcher } = await fetching({ maxBufferedBytes: 2000 });
    const served = new Map([
      [0, 0],
      [1, 0],
    ]);
    transport.on(fetch, async (request: FetchRequest) => {
      const wanted = askedFor(request);
      if (wanted.length === 0) await clock.sleep(100);
      return fetchAnswer(
        ...wanted.map(({ partition, fetchOffset }) => {
          served.set(partition, (served.get(partition) ?? 0) + 1);
          return { partition, records: batchAt(fetchOffset, ['x'.repeat(300)]) };
        }),
      );
    });
    fetcher.assign('orders', 0, 0);
    fetcher.assign('orders', 1, 0);
    fetcher.pause('orders', 0);
    fetcher.resume('orders', 0);
    await clock.settle();
    fetcher.pause('orders', 0);
    for (let i = 0; i < 20; i++) {
      fetcher.take();
      await clock.settle();
    }
    expect(served.get(0)).toBeLessThan(6);
    expect(served.get(1)).toBeGreaterThan(15);
    await fetcher.close();
  });

  it('never buffers much more than it may', async () => {
    const { transport, clock, fetcher, asked } = await fetching({ maxBufferedBytes: 1000 });
    transport.on(fetch, (request) =>
      fetchAnswer(
        ...askedFor(request).map(({ partition, fetchOffset }) => ({
          partition,
          records: batchAt(fetchOffset, ['x'.repeat(400)]),
        })),
      ),
    );
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    expect(asked().length).toBeLessThan(5);
    const before = asked().length;
    fetcher.take();
    await clock.settle();
    expect(asked().length).toBe(before + 1);
  });

  it.each(['seek', 'unassign'] as const)('says nothing of a failure that a %s has overtaken', async (step) => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, errorCode: 1 }));
    fetcher.assign('orders', 0, 7);
    await clock.advance(1000);
    if (step === 'seek') fetcher.seek('orders', 0, 9);
    else fetcher.unassign('orders', 0);
    expect(fetcher.takeFailures()).toEqual([]);
  });

  it('reports an offset out of range and stays silent until a seek', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, errorCode: 1 }));
    fetcher.assign('orders', 0, 777);
    await clock.advance(1000);
    expect(fetcher.takeFailures()).toMatchObject([
      { topic: 'orders', partition: 0, position: 777, reason: 'offset-out-of-range' },
    ]);
    expect(fetcher.takeFailures()).toEqual([]);
    expect(asked()).toHaveLength(1);
    fetcher.seek('orders', 0, 5);
    await clock.settle();
    expect(asked()[1]).toEqual([{ partition: 0, fetchOffset: 5 }]);
  });

  it('reports missing permission', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, errorCode: 29 }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    expect(fetcher.takeFailures()).toMatchObject([{ reason: 'unauthorized', error: { code: 'TOPIC_AUTHORIZATION_FAILED' } }]);
  });

  it('F43: reports that it is not let in any more, and does not knock again', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    const refusal = new FatalStreamsError('AUTHENTICATION_FAILED', 'the broker refused user "app"');
    transport.on(fetch, () => refusal);
    fetcher.assign('orders', 0, 0);
    await clock.advance(60_000);
    expect(fetcher.takeFailures()).toMatchObject([{ reason: 'unauthorized', error: refusal }]);
    expect(asked()).toHaveLength(1);
  });

  it('reports a topic that is gone, after it had time to come back', async () => {
    const { transport, clock, fetcher, leaders } = await fetching();
    leaders.delete('orders');
    transport.once(fetch, () => fetchAnswer({ partition: 0, errorCode: 3 }));
    fetcher.assign('orders', 0, 0);
    await clock.advance(1000);
    expect(fetcher.takeFailures()).toEqual([]);
    await clock.advance(5000);
    expect(fetcher.takeFailures()).toMatchObject([{ reason: 'unknown-topic' }]);
  });

  it('hands out what is good in front of a damaged batch, and gives up on that one only after a second look', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    const damaged = batchAt(2, ['broken']);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 0xff;
    transport.on(fetch, (request) => {
      const offset = askedFor(request)[0]?.fetchOffset ?? 0;
      return fetchAnswer({ partition: 0, records: offset < 2 ? Buffer.concat([batchAt(0, ['a', 'b']), damaged]) : damaged });
    });
    fetcher.assign('orders', 0, 0);
    await clock.advance(2000);
    expect(takeAll(fetcher)).toEqual(['a', 'b']);
    expect(fetcher.takeFailures()).toMatchObject([{ position: 2, reason: 'corrupt' }]);
    expect(asked().map((partitions) => partitions[0]?.fetchOffset)).toEqual([0, 2, 2]);
  });

  it('reports a batch that decompresses to more than is allowed', async () => {
    const { transport, clock, fetcher } = await fetching({ maxDecompressedBytes: 1000 });
    transport.on(fetch, () => fetchAnswer({ partition: 0, records: batchAt(0, ['x'.repeat(5000)], { compression: 'gzip' }) }));
    fetcher.assign('orders', 0, 0);
    await clock.advance(2000);
    expect(fetcher.takeFailures()).toMatchObject([{ reason: 'corrupt', error: { code: 'DECOMPRESSED_TOO_LARGE' } }]);
  });

  it('follows a leader that moves', async () => {
    const { transport, clock, fetcher, leaders } = await fetching({}, { orders: [1] });
    transport.once(fetch, () => {
      leaders.set('orders', [2]);
      return fetchAnswer({ partition: 0, errorCode: 6 });
    });
    transport.once(fetch, (_, { target }) => fetchAnswer({ partition: 0, records: batchAt(0, [`from ${target}`]) }));
    fetcher.assign('orders', 0, 0);
    await clock.advance(200);
    expect(takeAll(fetcher)).toEqual(['from 2']);
  });

  it('asks again, at growing intervals, when the connection breaks', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.on(fetch, answerLost);
    fetcher.assign('orders', 0, 0);
    await clock.advance(10_000);
    const attempts = transport.bodies(fetch).length;
    expect(attempts).toBeGreaterThan(8);
    expect(attempts).toBeLessThan(30);
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(0, ['back']) }));
    await clock.advance(2000);
    expect(takeAll(fetcher)).toEqual(['back']);
  });

  it('pauses before it asks again when an answer brings it no further', async () => {
    const { transport, clock, fetcher, asked } = await fetching();
    transport.on(fetch, () => fetchAnswer({ partition: 0, records: batchAt(0, ['old']) }));
    fetcher.assign('orders', 0, 5);
    await clock.advance(5000);
    expect(asked().length).toBeLessThan(20);
    expect(fetcher.available).toBe(false);
  });

  it('wakes who waits as soon as something is there, on a timeout, and on abort', async () => {
    const { transport, clock, fetcher } = await fetching();
    const started = clock.monotonicMs();
    await clock.until(fetcher.wait(250));
    expect(clock.monotonicMs() - started).toBe(250);
    const abort = new AbortController();
    const aborted = fetcher.wait(1_000_000, abort.signal);
    abort.abort();
    await aborted;
    const woken = fetcher.wait(1_000_000);
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: batchAt(0, ['a']) }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    await woken;
    expect(fetcher.available).toBe(true);
  });

  it('gives each batch a header of its own', async () => {
    const { transport, clock, fetcher } = await fetching();
    transport.once(fetch, () => fetchAnswer({ partition: 0, records: Buffer.concat([batchAt(0, ['a']), batchAt(1, ['b'])]) }));
    fetcher.assign('orders', 0, 0);
    await clock.settle();
    const headers = fetcher.take()?.batches.map(({ header }) => header);
    expect(headers?.map(({ baseOffset }) => baseOffset)).toEqual([0, 1]);
    expect(headers?.[0]).toBeInstanceOf(RecordBatchHeader);
  });

  it('names all settings that are out of range at once', () => {
    const { cluster } = scriptedKafka();
    expect(() => new BackgroundFetcher(cluster, { maxBytes: 0, minBytes: -1 })).toThrow(/minBytes.*maxBytes/);
  });
});
