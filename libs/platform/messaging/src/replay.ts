import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError } from '@atelier/kernel';
import type { RegisteredConsumer } from './consumer.js';
import { lagOf, type EventBus, type GroupOffset } from './event-bus.js';
import { topicsOf, type Group } from './group.js';
import type { Inbox } from './inbox.js';

const POLL_MS = 100;
const TIMEOUT_MS = 600_000;

export interface Replayed {
  /** How many events there were. */
  readonly events: number;
}

/** Rebuilds projections by reading their topics from the start, one replay of each at a time. */
export class Replay {
  private readonly running = new Set<string>();

  constructor(
    private readonly bus: EventBus,
    private readonly inbox: Inbox,
    private readonly subscribe: (group: Group) => Promise<void>,
  ) {}

  /**
   * Answers when the view has everything that was on its topics when this began; what comes meanwhile it hears as
   * always. Whatever fails, the group reads on.
   */
  async run(group: Group, projection: RegisteredConsumer, reset: () => Promise<void>): Promise<Replayed> {
    if (this.running.has(projection.id)) throw isRunning(projection.id);
    this.running.add(projection.id);
    try {
      const goal = await this.begin(group, projection, reset);
      await this.reach(group, goal, projection.id);
      return { events: Number(lagOf(goal)) };
    } finally {
      this.running.delete(projection.id);
    }
  }

  private async begin(
    group: Group,
    projection: RegisteredConsumer,
    reset: () => Promise<void>,
  ): Promise<readonly GroupOffset[]> {
    const topics = topicsOf(group);
    await group.subscription?.stop();
    try {
      // Refused while another replica reads: nothing is emptied then. The inbox is emptied last: after a failure in
      // between a view that lacks something is filled by another replay, one that has it twice looks right.
      await this.bus.rewind(group.name, topics);
      await reset();
      await this.inbox.forget(projection.id);
      return await this.bus.offsets(group.name, topics);
    } finally {
      await this.subscribe(group);
    }
  }

  private async reach(group: Group, goal: readonly GroupOffset[], projectionId: string): Promise<void> {
    const deadline = Date.now() + TIMEOUT_MS;
    const endOf = new Map(goal.map(({ topic, partition, end }) => [`${topic}/${partition}`, end]));
    for (;;) {
      const offsets = await this.bus.offsets(group.name, topicsOf(group));
      const isThere = ({ topic, partition, next }: GroupOffset): boolean =>
        next >= (endOf.get(`${topic}/${partition}`) ?? 0n);
      if (offsets.every(isThere)) return;
      if (Date.now() > deadline)
        throw new Error(`${projectionId} has not caught up within ${TIMEOUT_MS} ms; it reads on`);
      await sleep(POLL_MS);
    }
  }
}

const isRunning = (projectionId: string) =>
  new DomainError({
    kind: 'conflict',
    code: 'platform.projection.replaying',
    detail: `${projectionId} is being replayed. Wait until that has ended.`,
  });
