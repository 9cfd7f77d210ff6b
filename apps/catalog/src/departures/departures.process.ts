import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock, type Context } from '@atelier/kernel';
import { BackgroundLoop, type ConfigOf, InjectConfig, ShutdownSequence } from '@atelier/service';
import { catalogConfig } from '../catalog.config.js';
import { DeletePromptsOfOwner } from '../prompts/delete-prompts-of-owner.usecase.js';
import { DepartureRepository, type Departure } from './departure.repository.js';

const BATCH_MAX = 50;

/**
 * Deletes the prompts of people whose account was deleted, a page of each at a time. Several replicas may do so at
 * once: a prompt is deleted by whoever saves it first.
 */
@Injectable()
export class Departures implements OnApplicationBootstrap {
  private readonly log = new Logger('departures');
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly departures: DepartureRepository,
    private readonly deletePromptsOfOwner: DeletePromptsOfOwner,
    private readonly clock: Clock,
    @InjectConfig(catalogConfig) config: ConfigOf<typeof catalogConfig>,
    shutdown: ShutdownSequence,
  ) {
    this.loop = new BackgroundLoop('departures', config.DEPARTURES_SWEEP_MS, () => this.sweep());
    shutdown.add('jobs', 'departures', () => this.loop.stop());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  private async sweep(): Promise<boolean> {
    const due = await this.departures.due(this.clock.now(), BATCH_MAX);
    let isMore = due.length === BATCH_MAX;
    for (const departure of due) isMore = (await this.advance(departure)) || isMore;
    return isMore;
  }

  /** Answers whether there is more to do at once. A failure keeps nobody else's prompts waiting. */
  private async advance(departure: Departure): Promise<boolean> {
    const { _id: userId, deletedBy } = departure;
    try {
      if (await this.deletePromptsOfOwner.execute(userId, deletedBy, contextOf(departure))) return true;
      await this.departures.advance(departure, this.clock.now());
    } catch (error) {
      this.log.warn(`${userId} keeps prompts until the next run: ${String(error)}`);
    }
    return false;
  }
}

/** The deletion of the account is the cause, and whoever did it the actor. */
const contextOf = ({ deletedBy, correlationId, causationId }: Departure): Context => ({
  actor: { kind: 'user', id: deletedBy },
  correlationId,
  causationId,
});
