import { json, StreamsBuilder, string, topic, type Topology } from 'millrace';

interface User {
  readonly u: string;
  readonly ver: number;
  readonly tier: string;
}

interface Click {
  readonly u: string;
  readonly s: number;
}

interface Enriched extends Click {
  readonly ver: number | null;
  readonly tier: string | null;
}

/** Clicks enriched from a table of users. */
export function c3(): Topology {
  const builder = new StreamsBuilder();
  const users = builder.table(topic('users', { key: string(), value: json<User>({ immutable: true }) }), {
    store: 'users-table',
  });
  builder
    .stream(topic('clicks', { key: string(), value: json<Click>({ immutable: true }) }))
    .leftJoin(users, ({ u, s }, user): Enriched => ({ u, s, ver: user?.ver ?? null, tier: user?.tier ?? null }))
    .to(topic('enriched', { key: string(), value: json<Enriched>({ immutable: true }) }));
  return builder.build();
}
