import { describe, expect, it } from 'vitest';
import { Topology } from '@millrace/topology';
import { probedGroups } from './probed-groups.ts';

/** Two sources, and two streams that the application partitions anew: `plain` by default, `custom` by itself. */
function topology(groups: readonly (readonly string[])[]): Topology {
  const made = new Topology()
    .addSource('orders', 'orders')
    .addSource('payments', 'payments')
    .addSource('clicks', 'clicks')
    .addRepartitionTopic('plain-repartition')
    .addRepartitionTopic('custom-repartition')
    .addSink('to-plain', 'plain-repartition', ['clicks'])
    .addSink('to-custom', 'custom-repartition', ['clicks'], { partitioner: () => 0 })
    .addSource('plain', 'plain-repartition')
    .addSource('custom', 'custom-repartition');
  made.addProcessor('join', () => ({ process: () => undefined }), ['orders', 'payments', 'plain', 'custom']);
  for (const group of groups) made.copartitionSources(group);
  return made;
}

const groupsOf = (...groups: readonly (readonly string[])[]) => probedGroups(topology(groups).plan(), 'checkout');

describe('probedGroups', () => {
  it('are the co-partitioned topics, apart by who writes them', () => {
    expect(groupsOf(['orders', 'payments'], ['orders', 'plain'])).toEqual([
      { foreign: ['orders', 'payments'], own: [] },
      { foreign: ['orders'], own: ['checkout-plain-repartition'] },
    ]);
  });

  it('leave out repartition topics with a partitioner of their own, and what has nothing to be compared with then', () => {
    expect(groupsOf(['orders', 'custom'], ['plain', 'custom'])).toEqual([]);
    expect(groupsOf(['orders', 'payments', 'custom'])).toEqual([{ foreign: ['orders', 'payments'], own: [] }]);
  });

  it('are none where nothing meets', () => {
    expect(groupsOf()).toEqual([]);
  });
});
