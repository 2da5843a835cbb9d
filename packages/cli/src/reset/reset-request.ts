import type { ResetOptions, ResetRequest } from 'millrace';
import { brokersOf, property, required } from '../arguments/option-values.ts';
import { withEnvironment, type RawOptions } from '../arguments/raw-options.ts';
import { securityOf } from '../arguments/security.ts';
import type { Host } from '../host/host.ts';
import { UsageError } from '../usage-error.ts';
import { parseOffsetTarget, type OffsetTargetOptions } from './parse-offset-target.ts';
import { resetOptionTable } from './reset-option-table.ts';

/** Options as commander gives them. */
export interface RawResetOptions extends RawOptions, OffsetTargetOptions {
  readonly execute?: boolean;
  readonly intermediateTopics?: string;
  readonly internalTopics?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What `millrace reset` was asked to do. */
export interface ResetCommandRequest {
  readonly module: string;
  readonly connection: ResetOptions;
  readonly reset: ResetRequest;
  /** False: only say what would be done. */
  readonly execute: boolean;
  readonly json: boolean;
}

/** @throws UsageError */
export function resolveResetRequest(module: string, given: RawResetOptions, host: Host): ResetCommandRequest {
  const options = withEnvironment(given, host.env, resetOptionTable);
  return {
    module,
    connection: {
      applicationId: required(options.applicationId, '--application-id', 'MILLRACE_APPLICATION_ID'),
      brokers: brokersOf(required(options.brokers, '--brokers', 'KAFKA_BROKERS')),
      ...property('transport', options.transport),
      ...property('stateDir', options.stateDir),
      ...securityOf(options, host),
    },
    reset: {
      to: parseOffsetTarget(options, host.clock.nowMs()),
      force: options.force === true,
      ...property('intermediateTopics', namesOf('--intermediate-topics', options.intermediateTopics)),
      ...property('internalTopics', namesOf('--internal-topics', options.internalTopics)),
    },
    execute: options.execute === true,
    json: options.json === true,
  };
}

function namesOf(option: string, list: string | undefined): string[] | undefined {
  if (list === undefined) return undefined;
  const names = [...new Set(list.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  if (names.length === 0) throw new UsageError(`${option} ${JSON.stringify(list)}: give a topic, or several with commas`);
  return names;
}
