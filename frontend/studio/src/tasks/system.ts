/** Everybody's tasks in figures, as an admin is told them. Pure. */

/** `GET /system`. */
export interface System {
  readonly at: string;
  readonly log: {
    readonly last_sequence: number;
    readonly bytes: number;
    readonly max_bytes: number;
  };
  readonly projection: {
    readonly build: number;
    readonly sequence: number;
    readonly lag_events: number;
    readonly lag_seconds: number;
    readonly halted: string | null;
  };
  readonly queues: readonly Queue[];
}

export interface Queue {
  readonly type: string;
  readonly provider: string;
  readonly waiting: number;
  readonly running: number;
  readonly finished: number;
  readonly since: string | null;
}

export interface Sums {
  readonly waiting: number;
  readonly running: number;
  readonly finished: number;
  /** Since when the first of all waits. */
  readonly since: string | null;
}

export function sums(queues: readonly Queue[]): Sums {
  const sum = (count: (queue: Queue) => number) =>
    queues.reduce((total, queue) => total + count(queue), 0);
  const waits = queues.flatMap(({ since }) => (since === null ? [] : [since]));
  return {
    waiting: sum(({ waiting }) => waiting),
    running: sum(({ running }) => running),
    finished: sum(({ finished }) => finished),
    since: waits.sort((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null,
  };
}

/**
 * How fast a count grew a minute, from each reading to the next but nine. Where the rows were made
 * anew in between, nothing is known.
 */
export function growth(
  readings: readonly System[],
  count: (system: System) => number,
): readonly number[] {
  return readings.slice(1).flatMap((later, at) => {
    const earlier = readings[Math.max(0, at - 9)] ?? later;
    const minutes = (Date.parse(later.at) - Date.parse(earlier.at)) / 60_000;
    const grown = count(later) - count(earlier);
    const comparable = later.projection.build === earlier.projection.build;
    return minutes > 0 && grown >= 0 && comparable ? [grown / minutes] : [];
  });
}
