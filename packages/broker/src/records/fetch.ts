import type { Cancel, Clock } from '@millrace/core';
import { ErrorCode, fetch } from '@millrace/wire';
import type { LedLogs } from '../placement/led-logs.ts';
import { type Call, deferring, type Handler, type Reply } from '../server/handler.ts';
import { FetchPlan } from './fetch-plan.ts';

/** Session epochs that ask for everything: begin a session, or do without one. Others continue one that we never gave. */
const FULL_FETCH_EPOCH_MAX = 0;

/** From here on topics are named by their ids. */
const TOPIC_ID_VERSION = 13;

/**
 * Fetch: answers at once when there are enough bytes, an error, or no time; else when a log has changed so that there are, or
 * the time is over. Waits on what the isolation may see: a commit wakes a read_committed reader, an open transaction does not.
 *
 * There are no fetch sessions: every answer says session 0, which clients take as "not here".
 */
export function fetchHandler(logs: LedLogs, clock: Clock, versionMax: number): Handler {
  return deferring(
    fetch,
    (request, call, reply) => {
      if (request.sessionId !== 0 && request.sessionEpoch > FULL_FETCH_EPOCH_MAX) {
        reply({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] });
        return;
      }
      const plan = new FetchPlan(request, logs, call.nodeId, call.apiVersion >= TOPIC_ID_VERSION);
      if (request.maxWaitMs <= 0 || plan.isSatisfied()) reply({ responses: plan.read() });
      else waitForMore(plan, request.maxWaitMs, { clock, call, reply });
    },
    { max: versionMax },
  );
}

interface Waiting {
  readonly clock: Clock;
  readonly call: Call;
  readonly reply: Reply<typeof fetch>;
}

function waitForMore(plan: FetchPlan, maxWaitMs: number, { clock, call, reply }: Waiting): void {
  const cancels: Cancel[] = [];
  const stop = (): void => {
    for (const cancel of cancels.splice(0)) cancel();
  };
  const finish = (): void => {
    stop();
    reply({ responses: plan.read() });
  };
  const check = (): void => {
    if (plan.isSatisfied()) finish();
  };
  cancels.push(clock.setTimer(maxWaitMs, finish), ...plan.logs().map((log) => log.watchers.add(check)));
  call.onDisconnect(stop);
}
