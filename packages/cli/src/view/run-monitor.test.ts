import { describe, expect, it } from 'vitest';
import { MetricsRegistry } from '@millrace/core';
import { FakeClock } from '../host/fake-host.ts';
import { metricNames } from './metric-names.ts';
import { RunMonitor } from './run-monitor.ts';

function setUp() {
  const clock = new FakeClock();
  const metrics = new MetricsRegistry();
  const monitor = new RunMonitor({ applicationId: 'a', brokers: ['b:1'], clock, metrics });
  return { clock, metrics, monitor };
}

const progress = {
  taskId: '1_0',
  store: 'totals',
  topic: 'a-totals-changelog',
  partition: 0,
  startOffset: 100,
  currentOffset: 100,
  endOffset: 300,
  restoredRecords: 0,
  restoredBytes: 0,
  elapsedMs: 0,
  recordsPerSecond: 0,
  remainingMs: undefined,
};

describe('RunMonitor', () => {
  it('adds the tasks up and says how fast they go', () => {
    const { clock, metrics, monitor } = setUp();
    const counters = ['0_0', '0_1'].map((task) => metrics.counter(metricNames.recordsIn, 'in', { task }));
    expect(monitor.snapshot()).toMatchObject({ tasks: [{ id: '0_0' }, { id: '0_1' }], recordsIn: { total: 0, perSecond: 0 } });
    for (const counter of counters) counter.add(500);
    clock.advance(500);
    expect(monitor.snapshot()).toMatchObject({ recordsIn: { total: 1000, perSecond: 2000 }, recordsOut: undefined });
  });

  it('follows a store while it is being restored', () => {
    const { monitor } = setUp();
    const moving = { ...progress };
    monitor.board.onRestoreStart(moving);
    Object.assign(moving, { currentOffset: 150, restoredRecords: 40, recordsPerSecond: 20 });
    expect(monitor.snapshot()).toMatchObject({
      tasks: [{ id: '1_0', phase: 'restoring' }],
      restores: [{ taskId: '1_0', store: 'totals', fraction: 0.25, restoredRecords: 40, recordsPerSecond: 20 }],
    });
    monitor.board.onRestoreEnd(moving);
    expect(monitor.snapshot().restores).toEqual([]);
  });

  it('forgets a store whose task moved away', () => {
    const { monitor } = setUp();
    monitor.board.onRestoreStart(progress);
    monitor.board.onRestoreSuspended(progress);
    expect(monitor.snapshot()).toMatchObject({ tasks: [], restores: [] });
  });

  it('counts the time since the last change of state', () => {
    const { clock, monitor } = setUp();
    clock.advance(5000);
    monitor.onStateChange('running');
    clock.advance(700);
    expect(monitor.snapshot()).toMatchObject({ state: 'running', stateForMs: 700 });
  });
});
