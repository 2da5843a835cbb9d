import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadKafkajs } from './kafkajs-internals.ts';

const require = createRequire(import.meta.url);

describe('loadKafkajs', () => {
  it('finds what it needs in the version that is installed', () => {
    expect(loadKafkajs().Connection).toBeTypeOf('function');
  });

  it('names everything that another version lacks', () => {
    const changed: Record<string, unknown> = {
      'kafkajs/package.json': { version: '3.0.0' },
      'kafkajs/src/network/connection': class {
        connect(): void {}
        send(): void {}
      },
    };
    const load = (id: string): unknown => changed[id] ?? require(id);
    expect(() => loadKafkajs(load)).toThrow(
      'missing: version 2.2.4 (found 3.0.0), Connection.authenticate, Connection.setVersions, Connection.setSupportAuthenticationProtocol',
    );
  });

  it('says how to go on when a file is not there at all', () => {
    const load = (id: string): unknown => {
      if (id.endsWith('requestQueue')) throw new Error(`Cannot find module '${id}'`);
      return require(id);
    };
    expect(() => loadKafkajs(load)).toThrow(
      /missing: kafkajs\/src\/network\/requestQueue \(Cannot find module .*use the transport of @millrace\/client\/socket/,
    );
  });
});
