import { json, StreamsBuilder, string, topic, type Topology } from 'millrace';

interface Click {
  readonly k: string;
  readonly s: number;
}

interface Count {
  readonly k: string;
  readonly n: number;
  readonly s: number;
}

interface Sum {
  readonly g: string;
  readonly m: number;
  readonly sum: number;
  readonly k: string;
  readonly s: number;
}

const GROUPS = 7;

/** Count chain: a count per key, re-keyed into seven groups, and a sum of the counts per group. */
export function c1(): Topology {
  const count = json<Count>({ immutable: true });
  const sum = json<Sum>({ immutable: true });
  const builder = new StreamsBuilder();
  const counts = builder
    .stream(topic('c1-in', { key: string(), value: json<Click>({ immutable: true }) }))
    .groupByKey()
    .aggregate(
      (): Count => ({ k: '', n: 0, s: 0 }),
      (before, { s }, k) => ({ k, n: before.n + 1, s }),
      {
        store: 'c1-count',
        value: count,
      },
    )
    .toStream();
  counts.to(topic('c1-counts', { key: string(), value: count }));
  counts
    .groupBy((_count, k) => groupOf(k), { name: 'c1-group', key: string(), value: count })
    .aggregate(
      (): Sum => ({ g: '', m: 0, sum: 0, k: '', s: 0 }),
      (before, { n, k, s }, g) => ({ g, m: before.m + 1, sum: before.sum + n, k, s }),
      {
        store: 'c1-sum',
        value: sum,
      },
    )
    .toStream()
    .to(topic('c1-sums', { key: string(), value: sum }));
  return builder.build();
}

function groupOf(key: string): string {
  return `g${Number(key.slice(1)) % GROUPS}`;
}
