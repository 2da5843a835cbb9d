import { describe, expect, it } from 'vitest';
import { Topology } from '@millrace/topology';
import type { StreamsComponents } from '../components.ts';
import { StreamsApplication } from './streams-application.ts';

describe('StreamsApplication', () => {
  it('refuses a topology that reads nothing', () => {
    expect(() => new StreamsApplication(new Topology(), { applicationId: 'app' }, {} as StreamsComponents)).toThrow(
      expect.objectContaining({ name: 'TopologyError', code: 'EMPTY_TOPOLOGY' }),
    );
  });
});
