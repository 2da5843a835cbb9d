import { systemClock } from '@millrace/core';

/**
 * Does what the `order` of a record says, once for each order in the life of a process, or every time when it ends with `always`:
 *
 * - `throw`, `reject`: fails at once or by a promise
 * - `hang`: never comes back
 * - `sleep:<ms>`, `block:<ms>`: waits with the event loop free, or with the event loop held
 */
export function obedience(onOrder: (order: string) => void): (order: string) => void | Promise<void> {
  const obeyed = new Set<string>();
  return (order) => {
    if (obeyed.has(order) && !order.endsWith('always')) return undefined;
    obeyed.add(order);
    onOrder(order);
    const [action, amount] = order.split(' ')[0]?.split(':') ?? [];
    return obey(action, Number(amount), order);
  };
}

function obey(action: string | undefined, amountMs: number, order: string): void | Promise<void> {
  switch (action) {
    case 'throw':
      throw new Error(`the record orders: ${order}`);
    case 'reject':
      return Promise.reject(new Error(`the record orders: ${order}`));
    case 'hang':
      return new Promise(() => undefined);
    case 'sleep':
      return systemClock.sleep(amountMs);
    case 'block':
      return block(amountMs);
    default:
      throw new Error(`no such order: ${order}`);
  }
}

function block(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}
