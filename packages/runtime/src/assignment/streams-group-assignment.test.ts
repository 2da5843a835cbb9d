import type { Admin, StreamsGroupTarget } from '@millrace/client';
import { describe, expect, it } from 'vitest';
import { samplePlan as plan } from './sample-plan.ts';
import { decodeAssignmentData } from './assignment-data.ts';
import { assignmentForTarget, taskIds, tasksBySubtopology } from './streams-group-assignment.ts';

const madeFor = { processId: 'p-1', fingerprint: 'f' };

function assign(target: Partial<StreamsGroupTarget>, counts: Readonly<Record<string, number>>) {
  const describeTopics = (topics: readonly string[]) =>
    Promise.resolve(
      new Map(topics.map((topic) => [topic, counts[topic] === undefined ? undefined : { partitions: counts[topic] }])),
    );
  const admin = { describeTopics } as unknown as Admin;
  return assignmentForTarget(
    { active: [], standby: [], warmup: [], shutdown: false, ...target },
    { plan, applicationId: 'app', admin, madeFor },
  );
}

describe('an assignment by the broker', () => {
  it('gives a task the partitions with its number of the inputs that have one', async () => {
    const { partitions, userData } = await assign(
      { active: [{ subtopologyId: '0', partitions: [1, 3] }], standby: [{ subtopologyId: '0', partitions: [0] }] },
      { wide: 4, narrow: 2 },
    );
    expect(partitions).toEqual([
      { topic: 'wide', partition: 1 },
      { topic: 'narrow', partition: 1 },
      { topic: 'wide', partition: 3 },
    ]);
    expect(decodeAssignmentData(userData as Buffer)).toMatchObject({
      activeTasks: [
        { subtopology: 0, partition: 1 },
        { subtopology: 0, partition: 3 },
      ],
      standbyTasks: [{ subtopology: 0, partition: 0 }],
      madeFor,
      shutdown: false,
      nextRebalanceMs: -1,
    });
  });

  it('reads internal topics by their names on the broker', async () => {
    const { partitions } = await assign({ active: [{ subtopologyId: '1', partitions: [2] }] }, { 'app-r-repartition': 4 });
    expect(partitions).toEqual([{ topic: 'app-r-repartition', partition: 2 }]);
  });

  it('keeps warm what is to move here', async () => {
    const { userData } = await assign({ warmup: [{ subtopologyId: '0', partitions: [1] }] }, {});
    expect(decodeAssignmentData(userData as Buffer).standbyTasks).toEqual([{ subtopology: 0, partition: 1 }]);
  });

  it('passes on that everybody is to stop', async () => {
    expect(decodeAssignmentData((await assign({ shutdown: true }, {})).userData as Buffer).shutdown).toBe(true);
  });

  it('comes again when a topic that was just made is not known yet', async () => {
    await expect(assign({ active: [{ subtopologyId: '1', partitions: [0] }] }, {})).rejects.toMatchObject({
      name: 'RetriableError',
      topic: 'app-r-repartition',
    });
  });

  it('is refused when it is of another topology', async () => {
    await expect(assign({ active: [{ subtopologyId: '9', partitions: [0] }] }, {})).rejects.toMatchObject({
      code: 'TOPOLOGY_MISMATCH',
    });
  });

  it('is named back to the broker as it came', () => {
    const tasks = [
      { subtopologyId: '0', partitions: [1, 3] },
      { subtopologyId: '1', partitions: [0] },
    ];
    expect(tasksBySubtopology(taskIds(tasks))).toEqual(tasks);
  });
});
