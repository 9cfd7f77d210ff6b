/** Where the time comes from. Domain functions take `now` as an argument; only edges ask a clock. */
export abstract class Clock {
  abstract now(): Date;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }
}
