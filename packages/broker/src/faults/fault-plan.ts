import { type Clock, SettingsError } from '@millrace/core';
import { type Api, apis, type ResponseInput } from '@millrace/wire';
import type { Exchange } from '../server/connection.ts';
import { errorResponse } from '../server/error-response.ts';
import type { Fault, FaultRule, Faults } from './fault-rule.ts';

interface ActiveRule extends FaultRule {
  toSkip: number;
  left: number;
}

interface Request {
  readonly api: Api;
  readonly apiVersion: number;
  readonly request: unknown;
}

type Response = ResponseInput<Api> | undefined;

/** The work on a request, in two parts, so that something can come between them. */
interface Work {
  apply(reply: (response: Response) => void): void;
  send(response: Response): void;
  /** Sends so many bytes of it and closes the connection. */
  sendPart(response: Response, bytes: number): void;
}

/** Does to requests what tests have asked for. */
export class FaultPlan implements Faults {
  readonly #clock: Clock;
  readonly #rules = new Set<ActiveRule>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws SettingsError UNKNOWN_API when there is no such API */
  add(rule: FaultRule): () => void {
    if (!apis.some(({ name }) => name === rule.api)) {
      throw new SettingsError(
        'UNKNOWN_API',
        `no API is called "${rule.api}"; names are those of Kafka's protocol, such as "Produce"`,
      );
    }
    const active: ActiveRule = { ...rule, toSkip: rule.skip ?? 0, left: rule.times ?? 1 };
    this.#rules.add(active);
    return () => this.#rules.delete(active);
  }

  clear(): void {
    this.#rules.clear();
  }

  /** Runs the work on a request, with the fault that hits it, if any. */
  around(request: Request, exchange: Exchange, work: Work): void {
    const fault = this.#rules.size === 0 ? undefined : this.#faultFor(request);
    if (fault === undefined) work.apply((response) => work.send(response));
    else this.#inject(fault, request, exchange, work);
  }

  #inject(fault: Fault, { api, request }: Request, exchange: Exchange, work: Work): void {
    switch (fault.kind) {
      case 'error':
        work.send(errorResponse(api, request, fault.errorCode));
        break;
      case 'delay':
        this.#clock.setTimer(fault.delayMs, () => work.apply((response) => work.send(response)));
        break;
      case 'cut-before':
        exchange.disconnect();
        break;
      case 'cut-after':
        work.apply(() => exchange.disconnect());
        break;
      case 'truncate':
        work.apply((response) => work.sendPart(response, fault.bytes));
        break;
    }
  }

  #faultFor(request: Request): Fault | undefined {
    for (const rule of this.#rules) {
      if (!matches(rule, request)) continue;
      if (rule.toSkip > 0) {
        rule.toSkip--;
        continue;
      }
      rule.left--;
      if (rule.left <= 0) this.#rules.delete(rule);
      return rule.fault;
    }
    return undefined;
  }
}

function matches(rule: FaultRule, { api, apiVersion, request }: Request): boolean {
  if (rule.api !== api.name || (rule.version ?? apiVersion) !== apiVersion) return false;
  return rule.topic === undefined || namesTopic(request, rule.topic);
}

/** Every request that is about topics has them in a list, under one of these names. */
function namesTopic(request: unknown, topic: string): boolean {
  const { topics, topicData, topicNames } = request as Record<string, readonly unknown[] | undefined>;
  return [topics, topicData, topicNames].some((list) =>
    list?.some(
      (one) => one === topic || (one as { name?: string }).name === topic || (one as { topic?: string }).topic === topic,
    ),
  );
}
