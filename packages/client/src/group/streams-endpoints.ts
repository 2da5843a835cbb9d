import type { StreamsGroupHeartbeatResponse } from '@millrace/wire';
import { formatEndpoint } from '../lane/broker-endpoint.ts';
import type { GroupEndpoint, StreamsGroupMemberOptions } from '../port/streams-group.ts';

/** Of a member that has heard nothing yet: no broker counts like that. */
export const NO_ENDPOINT_EPOCH = -1;

type UserEndpoint = NonNullable<StreamsGroupMemberOptions['userEndpoint']>;

/**
 * Where members of a streams group can be asked. The broker says it whenever its epoch is not the one that the member sends.
 *
 * A member says where itself can be asked once it has joined, and not with the heartbeat that joins, as Kafka's own client does:
 * brokers up to 4.3 that do not know the tasks of the group, because source topics are missing, answer heartbeats with
 * UNKNOWN_SERVER_ERROR as soon as a member has an endpoint, and no longer say what is missing.
 */
export class StreamsEndpoints {
  readonly #own: UserEndpoint | undefined;
  #isOwnTold = false;
  #epoch = NO_ENDPOINT_EPOCH;
  #known: readonly GroupEndpoint[] = [];

  constructor(own: UserEndpoint | undefined) {
    this.#own = own;
  }

  get known(): readonly GroupEndpoint[] {
    return this.#known;
  }

  /** True while the broker is to be told where this member can be asked. @param knowsTasks the broker does, see `GroupStatusWatch` */
  hasNews(knowsTasks: boolean): boolean {
    return this.#own !== undefined && !this.#isOwnTold && knowsTasks;
  }

  /** For the next heartbeat after the one that joins. */
  said(knowsTasks: boolean): { readonly endpointInformationEpoch: number; readonly userEndpoint: UserEndpoint | undefined } {
    return { endpointInformationEpoch: this.#epoch, userEndpoint: this.hasNews(knowsTasks) ? this.#own : undefined };
  }

  /** The broker has been told where this member can be asked. */
  told(): void {
    this.#isOwnTold = true;
  }

  /** A new membership begins. */
  reset(): void {
    this.#isOwnTold = false;
  }

  /** @param response without an error */
  heard({ endpointInformationEpoch, partitionsByUserEndpoint }: StreamsGroupHeartbeatResponse): void {
    this.#epoch = endpointInformationEpoch;
    if (partitionsByUserEndpoint === undefined) return;
    this.#known = partitionsByUserEndpoint.map(({ userEndpoint, activePartitions, standbyPartitions }) => ({
      endpoint: formatEndpoint(userEndpoint),
      active: activePartitions,
      standby: standbyPartitions,
    }));
  }
}
