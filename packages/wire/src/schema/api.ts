import { assert, FatalStreamsError } from '@millrace/core';
import type { Codec } from './codec.ts';
import type { Decoded, Encodable, Fields } from './field.ts';
import { compileStruct } from './struct-codec.ts';
import { firstVersion, inRange, lastVersion, type VersionRange } from './version-range.ts';

/** One request of the Kafka protocol with its response, in all versions that are described. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number;
  readonly name: string;
  /** Versions that can be encoded and decoded. */
  readonly versions: VersionRange;
  readonly versionMin: number;
  readonly versionMax: number;
  /** Versions with compact lengths and tag sections (KIP-482). */
  readonly flexible: VersionRange;
  readonly request: Request;
  readonly response: Response;
}

/** What the decoder makes of a request. */
export type RequestOf<A extends Api> = Decoded<A['request']>;
/** What the decoder makes of a response. */
export type ResponseOf<A extends Api> = Decoded<A['response']>;
/** What the encoder of a request takes: as {@link RequestOf}, but fields with defaults may be left out. */
export type RequestInput<A extends Api> = Encodable<A['request']>;
export type ResponseInput<A extends Api> = Encodable<A['response']>;

export type Direction = 'request' | 'response';

/** Describes an API. Nothing is compiled before a version is used. */
export function defineApi<const Request extends Fields, const Response extends Fields>(
  definition: Omit<Api<Request, Response>, 'versionMin' | 'versionMax'>,
): Api<Request, Response> {
  const versionMin = firstVersion(definition.versions);
  const versionMax = lastVersion(definition.versions);
  assert(Number.isInteger(versionMin) && Number.isInteger(versionMax), `${definition.name} has no closed version range`);
  return { ...definition, versionMin, versionMax };
}

export function isFlexible(api: Api, version: number): boolean {
  return inRange(api.flexible, version);
}

/** Per API: the codecs compiled so far, requests at twice their version, responses behind them. */
const compiled = new WeakMap<Api, Codec[]>();

/**
 * The codec of one direction of an API in one version; compiled on first use.
 *
 * @throws FatalStreamsError `UNSUPPORTED_VERSION` when the version is not described
 */
export function codecOf(api: Api, version: number, direction: Direction): Codec {
  const slot = version * 2 + (direction === 'request' ? 0 : 1);
  return compiled.get(api)?.[slot] ?? compileInto(slot, api, version, direction);
}

function compileInto(slot: number, api: Api, version: number, direction: Direction): Codec {
  const codec = compile(api, version, direction);
  const codecs = compiled.get(api) ?? [];
  codecs[slot] = codec;
  compiled.set(api, codecs);
  return codec;
}

function compile(api: Api, version: number, direction: Direction): Codec {
  if (!inRange(api.versions, version)) {
    throw new FatalStreamsError(
      'UNSUPPORTED_VERSION',
      `${api.name} version ${version} is not supported; versions ${api.versions} are`,
    );
  }
  // A request field that gets lost changes what is asked for; a response field that the client's version lacks is nobody's loss.
  return compileStruct(api[direction], { version, flexible: isFlexible(api, version), strict: direction === 'request' });
}
