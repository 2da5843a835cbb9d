import type { Subscription } from './subscription.ts';
import type { SubscriptionResponse } from './subscription-response.ts';

/** The one answer of a node: the sink below writes it at once. */
export class OutgoingResponse<R> implements SubscriptionResponse<R> {
  hash: Buffer | undefined = undefined;
  foreignValue: R | undefined = undefined;
  primaryPartition: number | undefined = undefined;

  /** Makes it the answer to a subscription. */
  answer({ hash, primaryPartition }: Subscription, foreignValue: R | undefined): this {
    this.hash = hash;
    this.primaryPartition = primaryPartition;
    this.foreignValue = foreignValue;
    return this;
  }
}
