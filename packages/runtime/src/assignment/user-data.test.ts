import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptDataError, SettingsError } from '@millrace/core';
import { decodeAssignmentData, encodeAssignmentData } from './assignment-data.ts';
import { decodeSubscriptionData, encodeSubscriptionData, type SubscriptionData } from './subscription-data.ts';

const data: SubscriptionData = {
  processId: 'p',
  transactionalId: 't',
  fingerprint: 'f',
  endpoint: '',
  activeTasks: [{ subtopology: 0, partition: 1 }],
  stateOffsets: new Map([['0_1', 2 ** 40]]),
  asksForShutdown: true,
};

describe('user data', () => {
  it('comes back as it was written', () => {
    expect(decodeSubscriptionData(encodeSubscriptionData(data))).toEqual(data);
    const assignment = { activeTasks: [{ subtopology: 1, partition: 2 }], shutdown: true };
    expect(decodeAssignmentData(encodeAssignmentData(assignment))).toEqual(assignment);
  });

  it('refuses a newer version with the way out', () => {
    const bytes = encodeSubscriptionData(data);
    bytes.writeInt32BE(99, 0);
    expect(() => decodeSubscriptionData(bytes)).toThrow(SettingsError);
    expect(() => decodeSubscriptionData(bytes)).toThrow('upgrade this process');
  });

  it('refuses every truncation and any nonsense without reserving memory for it', () => {
    const bytes = encodeSubscriptionData(data);
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeSubscriptionData(bytes.subarray(0, end))).toThrow(CorruptDataError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (junk) => {
        try {
          decodeSubscriptionData(Buffer.concat([bytes.subarray(0, 4), Buffer.from(junk)]));
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^(INVALID_USER_DATA|INVALID_TASK_ID)$/);
        }
      }),
    );
  });
});
