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
   * always. Whatever fails, the group reads on. What the topics have no longer is lost to the view, so that has to be
   * wanted (`lossy`): else throws conflict `platform.projection.facts_deleted`.
   */
  async run(
    group: Group,
    projection: RegisteredConsumer,
    reset: () => Promise<void>,
    lossy: boolean,
  ): Promise<Replayed> {
    if (this.running.has(projection.id)) throw isRunning(projection.id);
    this.running.add(projection.id);
    try {
      if (!lossy) await this.expectAllFacts(group, projection.id);
      const goal = await this.begin(group, projection, reset);
      await this.reach(group, goal, projection.id);
      return { events: Number(lagOf(goal)) };
    } finally {
      this.running.delete(projection.id);
    }
  }

  private async expectAllFacts(group: Group, projectionId: string): Promise<void> {
    const offsets = await this.bus.offsets(group.name, topicsOf(group));
    const cut = new Set(offsets.filter(({ start }) => start > 0n).map(({ topic }) => topic));
    if (cut.size > 0) throw factsDeleted(projectionId, [...cut]);
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

const factsDeleted = (projectionId: string, topics: readonly string[]) =>
  new DomainError({
    kind: 'conflict',
    code: 'platform.projection.facts_deleted',
    detail:
      `The oldest facts of ${topics.join(', ')} have been deleted: ${projectionId} would lose what it has of them. ` +
      'Ask for a lossy replay if you want that.',
    extra: { topics },
  });
