import { describe, expect, it } from 'vitest';
import { resolveBrokerSettings } from './resolve-broker-settings.ts';

describe('the settings of a broker', () => {
  it('have defaults, also where something was left undefined', () => {
    expect(resolveBrokerSettings({ port: undefined as never, nodeId: 7 })).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      nodeId: 7,
    });
  });

  it('are refused with everything that is wrong', () => {
    const wrong = {
      host: '0.0.0.0',
      port: 70_000,
      markerDelayMaxMs: -1,
      topicDefaults: { 'segment.bytes': '10', nonsense: '1' },
    };
    expect(() => resolveBrokerSettings(wrong)).toThrow(
      /"port" is 70000.*"markerDelayMaxMs" is -1.*loopback.*segment\.bytes.*nonsense/,
    );
    expect(() => resolveBrokerSettings({ topicDefaults: { 'segment.bytes': '1000' }, strictConfigs: false })).not.toThrow();
  });
});
