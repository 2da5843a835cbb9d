import { deleteTopics, endTxn, fetch, produce } from '@millrace/wire';
import { describe, expect, it } from 'vitest';
import type { BrokerFeatures } from '../port/transport.ts';
import { chooseVersion } from './version-choice.ts';

function offering(key: number, min: number, max: number): BrokerFeatures {
  return { apis: new Map([[key, { min, max }]]), finalizedFeatures: new Map() };
}

describe('choosing a version', () => {
  it('takes the highest that both sides know', () => {
    expect(chooseVersion(produce, offering(0, 0, 13))).toBe(12);
    expect(chooseVersion(produce, offering(0, 0, 10))).toBe(10);
  });

  it('stays below a version that means something else', () => {
    expect(chooseVersion(endTxn, offering(26, 0, 5), 4)).toBe(4);
  });

  it('stays with topic names where newer versions have ids', () => {
    expect(chooseVersion(deleteTopics, offering(20, 1, 6))).toBe(5);
  });

  it.each([
    ['the broker is too old', offering(1, 0, 11)],
    ['the broker is too new', offering(1, 14, 18)],
    ['the broker does not know the API', offering(0, 0, 9)],
  ])('refuses when %s', (_case, features) => {
    expect(() => chooseVersion(fetch, features)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }));
  });
});
