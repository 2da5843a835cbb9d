import type { Cancel } from '@millrace/core';
import { exitCodes } from '../exit-codes.ts';
import type { Host, HostSignal } from '../host/host.ts';

/**
 * The first SIGINT or SIGTERM asks for a clean stop, the second ends the process at once.
 *
 * @returns puts the signals back to their default action
 */
export function stopOnSignal(host: Host, stop: (signal: HostSignal) => void): Cancel {
  let asked = false;
  const listener = (signal: HostSignal): void => {
    if (asked) {
      host.exit(exitCodes.interrupted);
    } else {
      asked = true;
      stop(signal);
    }
  };
  const cancels = (['SIGINT', 'SIGTERM'] as const).map((signal) => host.onSignal(signal, listener));
  return () => {
    for (const cancel of cancels) cancel();
  };
}
