import { describe, expect, it } from 'vitest';
import { FakeHost } from '../host/fake-host.ts';
import { stopOnSignal } from './stop-on-signal.ts';

describe('stopOnSignal', () => {
  it('stops cleanly at the first signal and at once at the second, whichever they are', () => {
    const host = new FakeHost();
    const stops: string[] = [];
    stopOnSignal(host, (signal) => stops.push(signal));
    host.raise('SIGTERM');
    expect([stops, host.exits]).toEqual([['SIGTERM'], []]);
    host.raise('SIGINT');
    expect([stops, host.exits]).toEqual([['SIGTERM'], [130]]);
  });

  it('gives the signals back', () => {
    const host = new FakeHost();
    stopOnSignal(host, () => undefined)();
    expect(host.raise('SIGINT') + host.raise('SIGTERM')).toBe(0);
  });
});
