import { describe, expect, it } from 'vitest';
import { MetricsRegistry } from '@millrace/core';
import { mergeMetrics, ThreadMetrics } from './thread-metrics.ts';

describe('metrics of threads', () => {
  it('add up in counters, and stay apart by thread in gauges and histograms', () => {
    const process = new MetricsRegistry();
    const threads = [new ThreadMetrics(), new ThreadMetrics()];
    for (const round of [1, 2]) {
      for (const [index, metrics] of threads.entries()) {
        metrics.counter('records', 'n').add(10 * (index + 1));
        metrics.gauge('queue', 'n').set(round + index);
        metrics.histogram('latency', 'ms').observe(round);
        mergeMetrics(process, index + 1, structuredClone(metrics.takeUpdates()));
        expect(metrics.takeUpdates()).toEqual([]);
      }
    }
    expect(process.samples().map(({ name, labels, value, count }) => [name, labels.thread, value, count])).toEqual([
      ['records', undefined, 60, 0],
      ['queue', '1', 2, 0],
      ['latency', '1', 3, 2],
      ['queue', '2', 3, 0],
      ['latency', '2', 3, 2],
    ]);
  });

  it('have one series for a task that moves from one thread to another', () => {
    const process = new MetricsRegistry();
    for (const thread of [1, 2]) {
      const metrics = new ThreadMetrics();
      metrics.gauge('lag', 'records', { task: '0_0' }).set(thread);
      mergeMetrics(process, thread, metrics.takeUpdates());
    }
    expect(process.samples()).toMatchObject([{ name: 'lag', labels: { task: '0_0' }, value: 2 }]);
  });
});
