import type { StoreQueries } from '../query/store-queries.ts';
import type { ResolvedSettings } from '../settings/settings.ts';
import type { AppState, AppStateListener } from './app-state.ts';

/** How an application is to stop. */
export interface CloseOptions {
  /**
   * True: a static member leaves the group, too, and its tasks go to others at once, because it is not to come back. Default false:
   * the group keeps them for it until its session is over. Members without an instance id always leave.
   * Kafka: `KafkaStreams.CloseOptions` (KIP-812).
   */
  readonly leaveGroup?: boolean;
}

/** An application that was made, whether it has one loop or several threads. */
export interface RunningApplication {
  readonly settings: ResolvedSettings;
  /** Asks the stores from outside. */
  readonly queries: StoreQueries;
  readonly state: AppState;
  /** The error with which the application ended, if it did. */
  readonly failure: unknown;
  /** Resolves when the application has stopped, for whatever reason; look at `failure` then. */
  readonly finished: Promise<void>;
  /** Calls back at each change of state. Returns a function that removes the listener. */
  onStateChange(listener: AppStateListener): () => void;
  /** Resolves when the application is `running`; rejects when it ends before. */
  running(): Promise<void>;
  /** Stops cleanly: commits, closes the tasks, leaves the group. Never rejects; a second call waits for the first. */
  close(options?: CloseOptions): Promise<void>;
}
