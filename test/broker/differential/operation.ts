/**
 * One request to both brokers, in symbols: topics, groups, producers and members are small numbers that each run turns into
 * names of its own. Whatever a request needs to know of earlier answers (ids, epochs, sequences, generations) the run fills in.
 */
export type Operation =
  | TopicOperation
  | RecordOperation
  | TransactionOperation
  | GroupOperation
  | OffsetOperation
  | TimedOperation;

/** One partition. Topic 9 is never created. */
export interface PartitionRef {
  readonly topic: number;
  readonly partition: number;
}

export type TopicOperation =
  | {
      readonly do: 'createTopic';
      readonly topic: number;
      readonly version: number;
      readonly partitions: number;
      readonly replicationFactor: number;
      readonly configs: Readonly<Record<string, string>>;
      readonly validateOnly: boolean;
    }
  | { readonly do: 'createIllegalTopic'; readonly version: number; readonly name: string }
  | { readonly do: 'deleteTopic'; readonly topic: number; readonly version: number }
  | { readonly do: 'createPartitions'; readonly topic: number; readonly version: number; readonly count: number }
  | { readonly do: 'metadata'; readonly topic: number; readonly version: number }
  | { readonly do: 'describeConfigs'; readonly topic: number; readonly version: number }
  | {
      readonly do: 'alterConfig';
      readonly topic: number;
      readonly version: number;
      readonly key: string;
      readonly value: string | null;
      /** 0 set, 1 delete, 2 append, 3 subtract. */
      readonly operation: number;
    }
  | ({ readonly do: 'deleteRecords'; readonly version: number; readonly offset: number } & PartitionRef);

/** How the first sequence number of a batch relates to what the producer sent before. */
export type SequenceChoice = 'next' | 'repeat' | 'earlier' | 'gap' | 'restart';

/** What is wrong with a batch. */
export type Flaw = 'none' | 'checksum' | 'twoBatches' | 'empty' | 'control' | 'cut' | 'baseOffset' | 'future' | 'noKey';

export type RecordOperation =
  | ({
      readonly do: 'produce';
      readonly version: number;
      /** Producer 4 is not idempotent. */
      readonly producer: number;
      readonly records: number;
      readonly sequence: SequenceChoice;
      readonly epochDelta: number;
      readonly transactional: boolean;
      readonly flaw: Flaw;
      readonly acks: number;
      readonly gzip: boolean;
    } & PartitionRef)
  | ({
      readonly do: 'fetch';
      readonly version: number;
      readonly offset: number;
      readonly committed: boolean;
      readonly bytesMax: number;
    } & PartitionRef)
  | ({
      readonly do: 'listOffset';
      readonly version: number;
      readonly timestamp: number;
      readonly committed: boolean;
    } & PartitionRef)
  | ({
      readonly do: 'leaderEpoch';
      readonly version: number;
      readonly epoch: number;
      readonly currentEpoch: number;
    } & PartitionRef);

export type TransactionOperation =
  | {
      readonly do: 'initProducer';
      readonly version: number;
      readonly producer: number;
      /** Whether it gives its present id and epoch, to go on with them. */
      readonly resumes: boolean;
      readonly timeoutMs: number;
    }
  | ({ readonly do: 'addPartition'; readonly version: number; readonly producer: number } & PartitionRef)
  | { readonly do: 'addOffsets'; readonly version: number; readonly producer: number; readonly group: number }
  | ({
      readonly do: 'commitInTransaction';
      readonly version: number;
      readonly producer: number;
      readonly group: number;
      /** −1: nobody of the group. */
      readonly member: number;
      readonly generationDelta: number;
      readonly offset: number;
    } & PartitionRef)
  | {
      readonly do: 'endTransaction';
      readonly version: number;
      readonly producer: number;
      readonly commits: boolean;
      readonly epochDelta: number;
    }
  | { readonly do: 'describeTransaction'; readonly producer: number };

/** Members live in group 0. */
export type GroupOperation =
  | {
      readonly do: 'join';
      readonly version: number;
      readonly member: number;
      readonly protocols: readonly string[];
      readonly metadata: number;
      readonly sessionTimeoutMs: number;
    }
  | { readonly do: 'sync'; readonly version: number; readonly member: number; readonly generationDelta: number }
  | { readonly do: 'heartbeat'; readonly version: number; readonly member: number; readonly generationDelta: number }
  | { readonly do: 'leave'; readonly version: number; readonly member: number }
  | { readonly do: 'rebalance'; readonly version: number }
  | { readonly do: 'describeGroup'; readonly version: number; readonly group: number }
  | { readonly do: 'deleteGroup'; readonly version: number; readonly group: number };

export type OffsetOperation =
  | ({
      readonly do: 'commitOffset';
      readonly version: number;
      readonly group: number;
      readonly member: number;
      readonly generationDelta: number;
      readonly offset: number;
      readonly metadataLength: number;
    } & PartitionRef)
  | {
      readonly do: 'fetchOffsets';
      readonly version: number;
      readonly group: number;
      readonly all: boolean;
      readonly stable: boolean;
    }
  | ({ readonly do: 'deleteOffset'; readonly group: number } & PartitionRef);

/** What takes a broker some time of its own. */
export type TimedOperation =
  /** Lets the broker compact a topic that was made for it, and shows all that is left. */
  | { readonly do: 'compact'; readonly topic: number }
  /** A member of a group of its own falls silent for longer than its session lasts. */
  | {
      readonly do: 'expireSession';
      readonly version: number;
      readonly isStatic: boolean;
      /** Whether another member goes on. */
      readonly hasOther: boolean;
    };

/** An operation by its name. */
export type OperationOf<Name extends Operation['do']> = Extract<Operation, { readonly do: Name }>;
