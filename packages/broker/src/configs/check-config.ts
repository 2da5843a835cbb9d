import { ErrorCode } from '@millrace/wire';
import { Refusal } from '../refusal.ts';
import { type ConfigDefinition, ConfigType } from './config-definition.ts';
import { topicConfigTable } from './topic-config-table.ts';

/** What is asked of values. */
export interface ConfigLimits {
  /** False lets segments be smaller than 1 MB, for tests of compaction and retention. */
  readonly strict: boolean;
}

/** The definition of a configuration of topics, if there is one. */
export function definitionOf(name: string): ConfigDefinition | undefined {
  return Object.hasOwn(topicConfigTable, name) ? topicConfigTable[name] : undefined;
}

/**
 * Checks one configuration of a topic.
 *
 * @throws Refusal INVALID_CONFIG when there is no such configuration or it cannot have the value
 */
export function checkConfig(name: string, value: string | undefined, { strict }: ConfigLimits): void {
  const definition = definitionOf(name);
  if (definition === undefined) throw invalid(`Unknown topic config name: ${name}`);
  if (value === undefined) throw invalid(`Null value not supported for topic configs: ${name}`);
  const limits = strict || name !== 'segment.bytes' ? definition : { ...definition, min: 14 };
  const problem = problemOf(value, limits);
  if (problem !== undefined) throw invalid(`Invalid value ${value} for configuration ${name}: ${problem}`);
}

function problemOf(value: string, definition: ConfigDefinition): string | undefined {
  switch (definition.type) {
    case ConfigType.boolean:
      return /^(true|false)$/i.test(value.trim()) ? undefined : 'Expected value to be either true or false';
    case ConfigType.list:
      return listProblem(value, definition);
    case ConfigType.string:
      return definition.oneOf?.includes(value) === false ? `String must be one of: ${definition.oneOf.join(', ')}` : undefined;
    default:
      return numberProblem(value, definition);
  }
}

function listProblem(value: string, { oneOf }: ConfigDefinition): string | undefined {
  if (oneOf === undefined) return undefined;
  return elementsOf(value).every((one) => oneOf.includes(one)) ? undefined : `String must be one of: ${oneOf.join(', ')}`;
}

function numberProblem(value: string, { type, min, max }: ConfigDefinition): string | undefined {
  const pattern = type === ConfigType.double ? /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i : /^[+-]?\d+$/;
  if (!pattern.test(value.trim())) return 'Not a number';
  const number = Number(value);
  if (min !== undefined && number < min) return `Value must be at least ${min}`;
  if (max !== undefined && number > max) return `Value must be no more than ${max}`;
  return undefined;
}

/** The elements of a comma-separated list. */
export function elementsOf(value: string): string[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function invalid(message: string): Refusal {
  return new Refusal(ErrorCode.INVALID_CONFIG, message);
}
