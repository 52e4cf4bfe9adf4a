/** Who serves which type, with what waits and runs there. Pure. */

import type { GenerationTypeOffer } from "@darkroom/client";
import type { Task } from "./task.ts";

export interface Lane {
  readonly type: string;
  readonly provider: string;
  readonly healthy: boolean;
  readonly waiting: number;
  readonly running: number;
}

export function lanesOf(
  offers: readonly GenerationTypeOffer[],
  live: readonly Task[],
): readonly Lane[] {
  return offers.flatMap(({ type, default_provider, providers }) =>
    providers.map(({ name, healthy }) => {
      const here = live.filter(
        (task) => task.type === type && providerOf(task, default_provider) === name,
      );
      const running = here.filter(isRunning).length;
      return { type, provider: name, healthy, waiting: here.length - running, running };
    }),
  );
}

export function isRunning(task: Task): boolean {
  return task.status === "processing" && task.attempt > 0;
}

function providerOf(task: Task, fallback: string): string {
  const named = task.provider_params.service;
  return task.provider?.toUpperCase() ?? (typeof named === "string" ? named : fallback);
}
