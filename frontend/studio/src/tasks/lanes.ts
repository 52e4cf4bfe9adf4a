/** Who serves which type, with what waits and runs there. Pure. */

import type { GenerationTypeOffer, ProviderOffer } from "@darkroom/client";
import type { Queue } from "./system.ts";
import type { Task } from "./task.ts";

export interface Lane {
  readonly type: string;
  readonly provider: ProviderOffer;
  readonly waiting: number;
  readonly running: number;
  /** Since when its first task waits, where that is known. */
  readonly since: string | null;
}

/** As an admin is told it, of everybody's tasks. */
export function lanesOfAll(
  offers: readonly GenerationTypeOffer[],
  queues: readonly Queue[],
): readonly Lane[] {
  return offers.flatMap(({ type, providers }) =>
    providers.map((provider) => {
      const queue = queues.find((each) => each.type === type && each.provider === provider.name);
      const { waiting = 0, running = 0, since = null } = queue ?? {};
      return { type, provider, waiting, running, since };
    }),
  );
}

/** Of one's own tasks. */
export function lanesOf(
  offers: readonly GenerationTypeOffer[],
  live: readonly Task[],
): readonly Lane[] {
  return offers.flatMap(({ type, default_provider, providers }) =>
    providers.map((provider) => {
      const here = live.filter(
        (task) => task.type === type && providerOf(task, default_provider) === provider.name,
      );
      const running = here.filter(isRunning).length;
      return { type, provider, waiting: here.length - running, running, since: null };
    }),
  );
}

export function isRunning(task: Task): boolean {
  return task.status === "processing" && task.attempt > 0;
}

export type Health = "healthy" | "unserved" | "open" | "probing";

/** How a provider is; one whose circuit is open may be served all the same. */
export function healthOf({ healthy, breaker }: ProviderOffer): Health {
  if (breaker.state === "open") return "open";
  if (breaker.state === "half_open") return "probing";
  return healthy ? "healthy" : "unserved";
}

/** In upper case, as in the offers. */
export function providerOf(task: Task, fallback: string): string {
  const named = task.provider_params.service;
  return task.provider?.toUpperCase() ?? (typeof named === "string" ? named : fallback);
}
