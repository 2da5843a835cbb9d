import { describe, expect, it } from 'vitest';
import { serverProperties } from './server-properties.ts';

const plain = { ports: { plaintext: 1, controller: 2 }, dataDir: '/d', users: [], extra: {} };
const secure = {
  ...plain,
  ports: { plaintext: 1, controller: 2, ssl: 3, saslPlaintext: 4, saslSsl: 5 },
  keyStore: { path: '/k.p12', password: 'p' },
  users: [{ username: 'ann', password: 'secret' }],
};

describe('serverProperties', () => {
  it('listens in clear text only, unless secured', () => {
    expect(serverProperties(plain)).toContain('listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\n');
    expect(serverProperties(plain)).not.toContain('jaas');
  });

  it('advertises every secured listener, but not the controller', () => {
    expect(serverProperties(secure)).toContain(
      'advertised.listeners=PLAINTEXT://127.0.0.1:1,SSL://127.0.0.1:3,SASL_PLAINTEXT://127.0.0.1:4,SASL_SSL://127.0.0.1:5\n',
    );
  });

  it('knows the PLAIN users on both SASL listeners', () => {
    expect(serverProperties(secure).match(/user_ann="secret"/g)).toHaveLength(2);
  });

  it('leaves the scan for timed-out transactions to Kafka', () => {
    expect(serverProperties(secure)).not.toContain('transaction.abort.timed.out');
  });

  it('lets extra settings win', () => {
    expect(serverProperties({ ...plain, extra: { 'num.partitions': '7' } })).toMatch(/^num\.partitions=7$/m);
  });
});
