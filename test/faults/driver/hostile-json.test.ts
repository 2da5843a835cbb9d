import { json, string, topic } from '@millrace/core';
import { StreamsBuilder } from '@millrace/dsl';
import { TopologyTestDriver } from '@millrace/testing';
import { describe, expect, it } from 'vitest';

const raw = topic('in', { key: string(), value: string() });
const input = topic('in', { key: string(), value: json<Record<string, unknown>>() });
const out = topic('out', { key: string(), value: json<unknown>() });

/** Texts that have broken programs. */
const CORPUS = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":9007199254740993}',
  '{"a":1e400}',
  `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  '\u0000',
  '{"a":"\\ud800"}',
];

describe('F24 hostile JSON', () => {
  it.each(CORPUS)('%.40s is a record or an error with its place, and changes no other object', async (value) => {
    const builder = new StreamsBuilder();
    builder
      .stream(input)
      .mapValues((given) => Object.assign({}, given))
      .to(out);
    const driver = await TopologyTestDriver.open(builder.build());
    await driver
      .createInputTopic(raw)
      .pipeInput('k', value, { timestamp: 1 })
      .catch((error: unknown) => expect(error).toMatchObject({ topic: 'in', partition: 0, offset: 0 }));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await driver.close();
  });
});
