import { Injectable } from '@nestjs/common';
import { Clock } from '@atelier/kernel';
import { Logger } from '@atelier/observability';
import { Database } from '@atelier/persistence';
import { monthOf, type Month } from './regeneration.domain.js';

const ASK_TIMEOUT_MS = 5_000;
/** Clocks that differ by less differ everywhere; at a month's turn that is no fault. */
const SKEW_MS_MAX = 60_000;

/** The clock that all replicas share. A class of its own, so that a test can shift it as it shifts Clock. */
@Injectable()
export class DatabaseTime {
  constructor(private readonly database: Database) {}

  async now(): Promise<Date> {
    const options = { timeoutMS: ASK_TIMEOUT_MS };
    const { localTime } = await this.database.connection.db!.command({ hello: 1 }, options);
    return localTime as Date;
  }
}

/**
 * The newest month that has begun, by this process's clock and by the database's. One wrong clock would grant months
 * ahead of time and note them on the balance: no month before them would ever be granted again.
 */
@Injectable()
export class BegunMonth {
  constructor(
    private readonly clock: Clock,
    private readonly databaseTime: DatabaseTime,
    private readonly log: Logger,
  ) {}

  async newest(): Promise<Month> {
    const database = await this.databaseTime.now();
    const own = this.clock.now();
    const aheadMs = own.getTime() - database.getTime();
    if (monthOf(own) !== monthOf(database) && Math.abs(aheadMs) > SKEW_MS_MAX) {
      const ahead =
        aheadMs > 0 ? "this replica's clock is ahead of the database's" : "the database's is ahead";
      this.log.error({ own, database }, `the clocks disagree about the month: ${ahead}`);
    }
    return monthOf(aheadMs > 0 ? database : own);
  }
}
