import { apiVersions, ErrorCode } from '@millrace/wire';
import { answering, type Handler } from './handler.ts';

/** What Java's broker accepts as the name and version of a client. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export interface ApiVersionsOptions {
  /** All handlers but this one. */
  readonly handlers: readonly Handler[];
  /** Features that are switched on, with their level. */
  readonly finalizedFeatures: ReadonlyMap<string, number>;
}

/** ApiVersions: what this broker speaks, and the features that clients must act upon. */
export function apiVersionsHandler({ handlers, finalizedFeatures }: ApiVersionsOptions): Handler {
  const features = [...finalizedFeatures].map(([name, level]) => ({ name, level }));
  const handler: Handler = answering(apiVersions, ({ clientSoftwareName, clientSoftwareVersion }, { apiVersion }) => {
    const isNamed = apiVersion < 3 || [clientSoftwareName, clientSoftwareVersion].every((text) => softwarePattern.test(text));
    const errorCode = isNamed ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST;
    if (features.length === 0) return { errorCode, apiKeys };
    return {
      errorCode,
      apiKeys,
      supportedFeatures: features.map(({ name, level }) => ({ name, minVersion: 0, maxVersion: level })),
      finalizedFeaturesEpoch: 0,
      finalizedFeatures: features.map(({ name, level }) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    };
  });
  const apiKeys = [...handlers, handler]
    .map(({ api, versions }) => ({ apiKey: api.key, minVersion: versions.min, maxVersion: versions.max }))
    .sort((a, b) => a.apiKey - b.apiKey);
  return handler;
}
