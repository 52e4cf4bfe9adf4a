import { queryKeys, useGenerationTypes, useTaskHistory } from "@darkroom/react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { DeadLetterTable } from "../components/DeadLetters.tsx";
import { Notice } from "../components/Notice.tsx";
import {
  FailureList,
  HaltedNotice,
  LaneTable,
  type Readiness,
  ReadinessPanel,
  StatTile,
  StatTiles,
  SystemTiles,
} from "../components/Operations.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { useNow, useRepeated } from "../data/clock.ts";
import { useDeadLetters, useRetryDeadLetters } from "../data/dead-letters.ts";
import { notedFetch } from "../data/reachability.ts";
import { useClient } from "../data/studio.tsx";
import { useSystem } from "../data/system.ts";
import { useSpoken } from "../strings/language.tsx";
import { perMinute, quantile, type Reading, readSamples } from "../tasks/figures.ts";
import { isRunning, lanesOf, lanesOfAll } from "../tasks/lanes.ts";
import { sums } from "../tasks/system.ts";
import type { Task } from "../tasks/task.ts";
import styles from "./OperationsPage.module.css";

const EVERY_MS = 3000;
const KEPT = 40;
const FAILED = { status: "failed", limit: 10 } as const;

/** How the system is doing. */
export function OperationsPage({ onOpen }: { onOpen: (task: Task) => void }): ReactNode {
  const { strings, formats } = useSpoken();
  const { operations } = strings;
  const now = useNow();
  const client = useClient();
  const readiness = useQuery({
    queryKey: ["readiness"],
    queryFn: readReadiness,
    refetchInterval: EVERY_MS,
    retry: false,
  });
  const live = useQuery({
    queryKey: [...queryKeys.tasks.all, "live"],
    queryFn: ({ signal }) => client.processing(undefined, { signal, retries: 0 }),
    refetchInterval: EVERY_MS,
    retry: false,
  });
  const types = useGenerationTypes();
  const failures = useTaskHistory(FAILED);
  const readings = useReadings();
  const deadLetters = useDeadLetters(EVERY_MS);
  const system = useSystem(EVERY_MS);
  const whole = system.at(-1);
  const all = whole && sums(whole.queues);
  const retry = useRetryDeadLetters();
  useRepeated(types.refetch, EVERY_MS * 3);
  useRepeated(failures.refetch, EVERY_MS * 2);

  const waiting = all?.waiting ?? live.data?.filter((task) => !isRunning(task)).length;
  const running = all?.running ?? live.data?.filter(isRunning).length;
  const latest = readings.at(-1);
  const median =
    latest === undefined ? null : quantile(latest.samples, "darkroom_submit_seconds", 0.5);
  const accepted = rates(readings, "darkroom_tasks_accepted_total");
  const refused = rates(readings, "darkroom_http_problems_total");
  const figure = (value: number | undefined | null, digits = 0) =>
    value === undefined || value === null ? "–" : formats.number(value, digits);

  return (
    <>
      <PageHeader page="operations" />
      {readiness.isError && <Notice tone="warn" title={operations.unavailable} live />}
      <HaltedNotice system={whole} />
      <ReadinessPanel readiness={readiness.data ?? null} />
      <section className={styles.section} aria-label={operations.numbers}>
        <StatTiles>
          <StatTile label={operations.waitingNow} value={figure(waiting)} />
          <StatTile label={operations.runningNow} value={figure(running)} />
          <StatTile
            label={operations.accepted}
            value={figure(accepted.at(-1), 1)}
            trend={accepted}
          />
          <StatTile
            label={operations.submitLatency}
            value={median === null ? "–" : formats.duration(median)}
          />
          <StatTile label={operations.refusals} value={figure(refused.at(-1), 1)} trend={refused} />
          <SystemTiles readings={system} now={now} />
        </StatTiles>
        <p className={styles.note}>
          {all ? operations.everybodysTasks : operations.ownTasks}{" "}
          {operations.refresh(EVERY_MS / 1000)}.
        </p>
      </section>
      <LaneTable
        lanes={
          whole
            ? lanesOfAll(types.data ?? [], whole.queues)
            : lanesOf(types.data ?? [], live.data ?? [])
        }
        counted={whole !== undefined || live.data !== undefined}
        now={whole && now}
      />
      {deadLetters !== null && (deadLetters.events > 0 || retry.isSuccess) && (
        <DeadLetterTable
          letters={deadLetters}
          now={now}
          busy={retry.isPending}
          retried={retry.data ?? null}
          failed={retry.isError}
          onRetry={retry.mutate}
        />
      )}
      <FailureList tasks={failures.data ?? null} now={now} onOpen={onOpen} />
    </>
  );
}

/** What was grown per minute, from each reading to the next but nine: smooth, yet current. */
function rates(readings: readonly Reading[], name: string): readonly number[] {
  return readings.slice(1).map((reading, at) => {
    const earlier = readings[Math.max(0, at - 9)] ?? reading;
    return perMinute(earlier, reading, name) ?? 0;
  });
}

async function readReadiness({ signal }: { signal: AbortSignal }): Promise<Readiness> {
  const response = await notedFetch("/readyz", { signal });
  const body: unknown = await response.json();
  const { status, checks } = body as {
    status: string;
    checks: Record<string, { ok: boolean; detail: string }>;
  };
  return {
    ready: status === "ready",
    checks: Object.entries(checks).map(([name, check]) => ({ name, ...check })),
  };
}

/** The readings of the gateway's figures since the page was opened. */
function useReadings(): readonly Reading[] {
  const [readings, setReadings] = useState<readonly Reading[]>([]);
  const { data } = useQuery({
    queryKey: ["metrics"],
    queryFn: async ({ signal }): Promise<Reading> => {
      const response = await notedFetch("/metrics", { signal });
      if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
      return { at: Date.now(), samples: readSamples(await response.text()) };
    },
    refetchInterval: EVERY_MS,
    retry: false,
    structuralSharing: false,
  });
  useEffect(() => {
    if (data !== undefined) setReadings((before) => [...before, data].slice(-KEPT));
  }, [data]);
  return readings;
}
