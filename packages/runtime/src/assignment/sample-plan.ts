import { Topology } from '@millrace/topology';

/** For tests: two topics read by sub-topology 0, `wide` and `narrow`, and one between it and sub-topology 1. */
export const samplePlan = new Topology()
  .addSource('wide', 'wide')
  .addSource('narrow', 'narrow')
  .addNode('both', () => ({ init: () => undefined, process: () => undefined }), ['wide', 'narrow'])
  .addRepartitionTopic('r-repartition')
  .addSink('out', 'r-repartition', ['both'])
  .addSource('back', 'r-repartition')
  .addSink('end', 'end', ['back'])
  .plan();
