import type { OffsetTarget } from './offset-target.ts';

/** What a reset is to do beyond the default: inputs to the beginning, internal topics and local state deleted. */
export interface ResetRequest {
  /** Default: the beginning of each partition. */
  readonly to?: OffsetTarget;
  /** Inputs that the application writes itself, through topics of its user: they are set to their ends. */
  readonly intermediateTopics?: readonly string[];
  /**
   * Deletes only these internal topics. May also name topics that another version of the topology has left: they must begin with
   * the application id and end as internal topics do. Default: all those of the topology.
   */
  readonly internalTopics?: readonly string[];
  /** Takes members out of the group first. Default: a group with members is refused. */
  readonly force?: boolean;
}
