import { string, topic } from '@millrace/core';
import { keyValueStore } from '@millrace/state';
import { Topology } from '@millrace/topology';
import { describe, expect, it } from 'vitest';
import { applicationTopics } from './application-topics.ts';
import type { ResetRequest } from './reset-request.ts';

const nothing = () => ({ process: () => undefined });
const named = (name: string) => topic(name, { key: string(), value: string() });

/** Reads `in`, regroups through `r-repartition`, keeps `counts`, writes `out`, reads that again. */
const topology = new Topology()
  .addSource('in', named('in'))
  .addRepartitionTopic('r-repartition')
  .addSink('to-r', 'r-repartition', ['in'])
  .addSource('from-r', 'r-repartition')
  .addProcessor('count', nothing, ['from-r'])
  .addStateStore(keyValueStore('counts', string(), string()), ['count'])
  .addStateStore(keyValueStore('scratch', string(), string(), { logging: false }), ['count'])
  .addSink('to-out', 'out', ['count'])
  .addSource('out-again', named('out'))
  .addProcessor('look', nothing, ['out-again']);

const OWN = ['app-counts-changelog', 'app-r-repartition'];
const CLUSTER = ['in', 'out', 'other', ...OWN];

function select(request: ResetRequest = {}, existing: readonly string[] = CLUSTER) {
  return applicationTopics(topology.plan(), 'app', new Set(existing), request);
}

describe('the topics of a reset', () => {
  it('are the inputs, and the internal topics by the names that the topology gives them', () => {
    expect(select()).toMatchObject({ inputs: ['in', 'out'], doomed: OWN, leftovers: [] });
  });

  it('need not all have been made', () => {
    expect(select({}, ['in', 'out']).doomed).toEqual([]);
  });

  it('leave alone what other versions made, and applications whose id begins alike, until it is named', () => {
    const existing = [...CLUSTER, 'app-old-changelog', 'app-2-r-repartition', 'app-notes', 'apparel-x-changelog'];
    expect(select({}, existing)).toMatchObject({ doomed: OWN, leftovers: ['app-2-r-repartition', 'app-old-changelog'] });
    expect(select({ internalTopics: ['app-old-changelog'] }, existing)).toMatchObject({
      doomed: ['app-old-changelog'],
      leftovers: ['app-2-r-repartition'],
    });
  });

  it.each(['other', 'in', 'app-notes', 'apparel-x-changelog'])('never delete %s', (name) => {
    const existing = [...CLUSTER, 'app-notes', 'apparel-x-changelog'];
    expect(() => select({ internalTopics: [name] }, existing)).toThrow(expect.objectContaining({ code: 'RESET_TOPIC_FOREIGN' }));
  });

  it('tell which inputs the topology writes itself, unless they are named as intermediate', () => {
    expect(select().writtenInputs).toEqual(['out']);
    expect(select({ intermediateTopics: ['out'] })).toMatchObject({
      inputs: ['in'],
      intermediates: ['out'],
      writtenInputs: [],
    });
  });

  it('must exist, and be read where they are named as intermediate', () => {
    const missing = expect.objectContaining({ code: 'RESET_TOPIC_MISSING' });
    expect(() => select({}, ['out'])).toThrow(missing);
    expect(() => select({ internalTopics: ['app-gone-changelog'] })).toThrow(missing);
    expect(() => select({ intermediateTopics: ['other'] })).toThrow(expect.objectContaining({ code: 'RESET_TOPIC_FOREIGN' }));
  });

  it('match patterns, except what the application makes for itself', () => {
    const byPattern = new Topology().addSource('all', /(app-|in).*/).addProcessor('count', nothing, ['all']);
    byPattern.addStateStore(keyValueStore('counts', string(), string()), ['count']);
    const found = applicationTopics(byPattern.plan(), 'app', new Set(['in', 'in-2', 'app-counts-changelog']), {});
    expect(found).toMatchObject({ inputs: ['in', 'in-2'], doomed: ['app-counts-changelog'] });
  });
});
