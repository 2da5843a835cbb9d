import { createSocketTransport } from '@millrace/client/socket';
import { silentLogger } from '@millrace/core';
import { decodeResponse, encodeRequest, incrementalAlterConfigs } from '@millrace/wire';

const VERSION = 1;
const TOPIC = 2;
const SET = 0;

/** Changes one setting of a topic that exists. */
export async function setTopicConfig(brokers: string, topic: string, name: string, value: string): Promise<void> {
  const transport = createSocketTransport({ brokers: brokers.split(','), clientId: 'faults', logger: silentLogger });
  try {
    const resources = [{ resourceType: TOPIC, resourceName: topic, configs: [{ name, configOperation: SET, value }] }];
    const body = encodeRequest(incrementalAlterConfigs, VERSION, { resources });
    const { key: apiKey } = incrementalAlterConfigs;
    const request = { apiKey, apiVersion: VERSION, body, flexible: true, lane: 'admin', timeoutMs: 10_000 } as const;
    const answer = decodeResponse(incrementalAlterConfigs, VERSION, await transport.send('any', request));
    const refused = answer.responses.find(({ errorCode }) => errorCode !== 0);
    if (refused !== undefined) throw new Error(`${topic}: ${name} cannot be set: error ${refused.errorCode}`);
  } finally {
    await transport.close();
  }
}
