import { describe, expect, it } from 'vitest';
import { AppStateMachine } from './app-state.ts';

describe('AppStateMachine', () => {
  it('tells listeners of changes, and only of changes', () => {
    const machine = new AppStateMachine();
    const seen: string[] = [];
    const remove = machine.listen((now, before) => seen.push(`${before}→${now}`));
    machine.transition('rebalancing');
    machine.transition('rebalancing');
    machine.transition('running');
    remove();
    machine.transition('pending-shutdown');
    expect(seen).toEqual(['created→rebalancing', 'rebalancing→running']);
    expect(machine.alive).toBe(false);
  });

  it('refuses what the table does not have', () => {
    const machine = new AppStateMachine();
    expect(() => machine.transition('running')).toThrow('created → running');
  });
});
