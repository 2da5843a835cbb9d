import { CorruptDataError, FatalStreamsError } from '@millrace/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { readFixture } from '../fixtures/read-fixture.ts';
import { apiByKey } from '../messages/api-table.ts';
import { apiVersions } from '../messages/cluster.ts';
import { ErrorCode, errorName } from '../messages/error-code.ts';
import { fetch } from '../messages/fetch.ts';
import { type findCoordinator, heartbeat, joinGroup } from '../messages/groups.ts';
import { offsetFetch } from '../messages/offsets.ts';
import { initProducerId } from '../messages/transactions.ts';
import { ProtocolReader } from '../primitives/protocol-reader.ts';
import { ProtocolWriter } from '../primitives/protocol-writer.ts';
import type { RequestInput, ResponseOf } from './api.ts';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse, readResponse } from './message-codec.ts';
import {
  readRequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeRequestHeader,
  writeResponseHeader,
} from './message-header.ts';

describe('message codecs', () => {
  it('fill in what a version does not have', () => {
    const request = { groupId: 'g', sessionTimeoutMs: 1, memberId: '', protocolType: 'consumer', protocols: [] };
    expect(decodeRequest(joinGroup, 0, encodeRequest(joinGroup, 0, request))).toEqual({
      ...request,
      rebalanceTimeoutMs: -1,
      groupInstanceId: undefined,
      reason: undefined,
    });
  });

  it('leave out fields that may be ignored in versions without them, and refuse the others', () => {
    const request = { groupId: 'g', generationId: 1, memberId: 'm' };
    expect(() => encodeRequest(heartbeat, 2, { ...request, groupInstanceId: 'i' })).toThrow(FatalStreamsError);
    expect(() => encodeRequest(offsetFetch, 6, { groupId: 'g', requireStable: true })).toThrow(/requireStable/);
    expect(() =>
      encodeRequest(initProducerId, 2, { transactionalId: 't', transactionTimeoutMs: 1, producerId: 5, producerEpoch: 0 }),
    ).toThrow(/producerId/);
    encodeRequest(heartbeat, 2, request);
    encodeRequest(joinGroup, 7, {
      groupId: 'g',
      sessionTimeoutMs: 1,
      memberId: '',
      protocolType: 'consumer',
      protocols: [],
      reason: 'why',
    });
  });

  it('refuse versions that are not described', () => {
    expect(() => encodeRequest(heartbeat, 5, { groupId: 'g', generationId: 1, memberId: 'm' })).toThrow(
      /version 5 is not supported/,
    );
  });

  it('refuse a message with a required field missing', () => {
    expect(() => encodeRequest(heartbeat, 4, { groupId: 'g' } as unknown as RequestInput<typeof heartbeat>)).toThrow(
      /generationId/,
    );
  });

  it('skip tags that they do not know', () => {
    const plain = encodeResponse(heartbeat, 4, { errorCode: 27 });
    const tagged = Buffer.concat([plain.subarray(0, -1), Buffer.from([2, 5, 3, 1, 2, 3, 0x90, 1, 0])]);
    expect(decodeResponse(heartbeat, 4, tagged)).toEqual({ throttleTimeMs: 0, errorCode: 27 });
  });

  it('refuse a known tag whose size does not match', () => {
    const epoch = encodeResponse(apiVersions, 3, { errorCode: 0, apiKeys: [], finalizedFeaturesEpoch: 7 });
    const at = epoch.length - 9;
    expect(epoch[at]).toBe(8);
    const longer = Buffer.concat([epoch.subarray(0, at), Buffer.from([9]), epoch.subarray(at + 1), Buffer.from([0])]);
    expect(() => decodeResponse(apiVersions, 3, longer)).toThrow(CorruptDataError);
  });

  it('read the finalized features of a broker', () => {
    const response = {
      errorCode: 0,
      apiKeys: [],
      finalizedFeaturesEpoch: 3,
      finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }],
    };
    expect(decodeResponse(apiVersions, 4, encodeResponse(apiVersions, 4, response))).toMatchObject(response);
  });

  it('refuse bytes behind a message', () => {
    const response = encodeResponse(heartbeat, 4, { errorCode: 0 });
    expect(() => decodeResponse(heartbeat, 4, Buffer.concat([response, Buffer.from([0])]))).toThrow(/1 bytes follow/);
  });

  it('refuse null where the version does not allow it', () => {
    expect(() => decodeRequest(heartbeat, 4, Buffer.from('00000000010100', 'hex'))).toThrow(/null string/);
  });

  it('do not build lists for counts that the bytes cannot hold', () => {
    const response = encodeResponse(fetch, 4, { responses: [] });
    response.writeInt32BE(0x7fffffff, 4);
    expect(() => decodeResponse(fetch, 4, response)).toThrow(CorruptDataError);
  });

  it('say in types what is absent, what is optional and what is required', () => {
    expectTypeOf<ResponseOf<typeof fetch>['responses'][number]['partitions'][number]['records']>().toEqualTypeOf<
      Buffer | undefined
    >();
    expectTypeOf<ResponseOf<typeof fetch>['responses'][number]['partitions'][number]['divergingEpoch']>().toEqualTypeOf<
      { readonly epoch: number; readonly endOffset: number } | undefined
    >();
    expectTypeOf<ResponseOf<typeof findCoordinator>['coordinators'][number]['host']>().toEqualTypeOf<string>();
    expectTypeOf<{ groupId: string; generationId: number; memberId: string }>().toExtend<RequestInput<typeof heartbeat>>();
    expectTypeOf<{ groupId: string; generationId: number }>().not.toExtend<RequestInput<typeof heartbeat>>();
  });
});

interface GoldenHeader {
  readonly direction: 'request' | 'response';
  readonly version: number;
  readonly clientId?: string | null;
  readonly hex: string;
}

describe('message headers', () => {
  it.each(readFixture<GoldenHeader>('headers'))(
    '$direction header $version is what Kafka writes (client id $clientId)',
    ({ direction, version, clientId, hex }) => {
      const writer = new ProtocolWriter();
      const reader = new ProtocolReader(Buffer.from(hex, 'hex'));
      if (direction === 'request') {
        const header = { apiKey: 11, apiVersion: 9, correlationId: 123456789, clientId: clientId ?? undefined };
        writeRequestHeader(writer, header, version as 1 | 2);
        expect(readRequestHeader(reader, () => version as 1 | 2)).toEqual(header);
      } else {
        writeResponseHeader(writer, 123456789, version as 0 | 1);
        expect(readResponseHeader(reader, version as 0 | 1)).toBe(123456789);
      }
      expect(writer.view().toString('hex')).toBe(hex);
      expect(reader.remaining).toBe(0);
    },
  );

  it('have the versions that the protocol prescribes', () => {
    expect([requestHeaderVersion(joinGroup, 5), requestHeaderVersion(joinGroup, 6)]).toEqual([1, 2]);
    expect([responseHeaderVersion(joinGroup, 5), responseHeaderVersion(joinGroup, 6)]).toEqual([0, 1]);
    expect([requestHeaderVersion(apiVersions, 3), responseHeaderVersion(apiVersions, 3)]).toEqual([2, 0]);
  });

  it('let a response be read behind them', () => {
    const bytes = Buffer.concat([Buffer.from('0000000100', 'hex'), encodeResponse(heartbeat, 4, { errorCode: 0 })]);
    const reader = new ProtocolReader(bytes);
    expect(readResponseHeader(reader, 1)).toBe(1);
    expect(readResponse(reader, heartbeat, 4).errorCode).toBe(0);
  });

  it('refuse hostile tag counts', () => {
    const reader = new ProtocolReader(Buffer.from('00000001ffffffff0f', 'hex'));
    expect(() => readResponseHeader(reader, 1)).toThrow(CorruptDataError);
  });
});

describe('constants', () => {
  it("name Kafka's errors", () => {
    const golden = readFixture<{ code: number; name: string }>('error-codes');
    expect(ErrorCode).toEqual(Object.fromEntries(golden.map(({ code, name }) => [name, code])));
    for (const { code, name } of golden) expect(errorName(code)).toBe(name);
    expect(errorName(999)).toBe('ERROR_999');
  });

  it('find APIs by key', () => {
    expect(apiByKey(11)).toBe(joinGroup);
    expect(apiByKey(999)).toBeUndefined();
  });
});
