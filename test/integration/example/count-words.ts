import { string, StreamsBuilder, topic, type Topology } from 'millrace';

const prefix = process.env.TEST_PREFIX ?? '';

/** Counts words; a word that begins with `!` makes it fail. */
export function buildTopology(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(topic(`${prefix}words`, { key: string(), value: string() }))
    .mapValues((word) => {
      if (word.startsWith('!')) throw new Error(`cannot count ${word}`);
      return word;
    })
    .groupByKey()
    .count({ store: 'counts' })
    .toStream()
    .mapValues(String)
    .to(topic(`${prefix}counts`, { key: string(), value: string() }));
  return builder.build();
}
