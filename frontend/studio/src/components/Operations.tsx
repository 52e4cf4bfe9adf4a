import type { ProviderOffer } from "@darkroom/client";
import { CircleAlert, CircleCheck } from "lucide-react";
import { type ReactNode, useId } from "react";
import { kindOf } from "../strings/kinds.ts";
import { useSpoken } from "../strings/language.tsx";
import { failureOf } from "../tasks/failure.ts";
import { type Health, healthOf, type Lane } from "../tasks/lanes.ts";
import { growth, type System, sums } from "../tasks/system.ts";
import { nameOf, type Task } from "../tasks/task.ts";
import { Notice } from "./Notice.tsx";
import styles from "./Operations.module.css";

/** A figure with its name, and how it went lately. */
export function StatTile({
  label,
  value,
  trend = [],
}: {
  label: string;
  value: string;
  trend?: readonly number[];
}): ReactNode {
  return (
    <div className={styles.tile}>
      <dt>{label}</dt>
      <dd>{value}</dd>
      {trend.length > 1 && <Sparkline values={trend} />}
    </div>
  );
}

export function StatTiles({ children }: { children: ReactNode }): ReactNode {
  return <dl className={styles.tiles}>{children}</dl>;
}

/** A line without axes: only whether it rises or falls. */
export function Sparkline({ values }: { values: readonly number[] }): ReactNode {
  const most = Math.max(...values, 1e-9);
  const step = 100 / (values.length - 1);
  const points = values.map((value, at) => `${at * step},${28 - (value / most) * 26}`).join(" ");
  return (
    <svg className={styles.spark} viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden>
      <polyline
        points={points}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly detail: string;
  }[];
}

/** Whether the whole can do its work, and which part can't. */
export function ReadinessPanel({ readiness }: { readiness: Readiness | null }): ReactNode {
  const { operations } = useSpoken().strings;
  const Icon = readiness?.ready ? CircleCheck : CircleAlert;
  const names: Readonly<Record<string, string>> = operations.checks;
  return (
    <section className={styles.panel}>
      <h2
        className={`${styles.verdict} ${readiness === null ? "" : readiness.ready ? styles.well : styles.ill}`}
      >
        <Icon aria-hidden />
        {readiness === null
          ? operations.unknown
          : readiness.ready
            ? operations.ready
            : operations.notReady}
      </h2>
      {readiness && (
        <ul className={styles.checks}>
          {readiness.checks.map(({ name, ok, detail }) => (
            <li key={name} className={styles.check}>
              <span className={`${styles.health} ${ok ? styles.well : styles.ill}`}>
                {names[name] ?? name}
                {!ok && <span className="hidden-visually">: {operations.notReady}</span>}
              </span>
              <span>{detail}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Seconds; null where nobody waits. */
export function waitedFor(since: string | null, now: number): number | null {
  return since === null ? null : Math.max(0, (now - Date.parse(since)) / 1000);
}

/** Why the rows no longer follow the log, if so. */
export function HaltedNotice({ system }: { system: System | undefined }): ReactNode {
  const { operations } = useSpoken().strings;
  if (!system?.projection.halted) return null;
  return (
    <Notice tone="bad" title={operations.halted} live>
      {system.projection.halted}
    </Notice>
  );
}

/** How the whole is doing, among other tiles; for admins. */
export function SystemTiles({
  readings,
  now,
}: {
  readings: readonly System[];
  now: number;
}): ReactNode {
  const { strings, formats } = useSpoken();
  const { operations } = strings;
  const latest = readings.at(-1);
  if (latest === undefined) return null;
  const { projection, log } = latest;
  const applied = growth(readings, (each) => each.projection.sequence).map((rate) => rate / 60);
  const ended = growth(readings, (each) => sums(each.queues).finished);
  const oldest = waitedFor(sums(latest.queues).since, now);
  const rate = (values: readonly number[]) => {
    const value = values.at(-1);
    return value === undefined ? "–" : formats.number(value, 1);
  };
  return (
    <>
      <StatTile
        label={operations.behind}
        value={projection.lag_events === 0 ? "0" : formats.duration(projection.lag_seconds)}
        trend={readings.map((each) => each.projection.lag_seconds)}
      />
      <StatTile label={operations.applied} value={rate(applied)} trend={applied} />
      <StatTile label={operations.ended} value={rate(ended)} trend={ended} />
      <StatTile
        label={operations.oldest}
        value={oldest === null ? "–" : formats.duration(oldest)}
      />
      <StatTile
        label={operations.logUsed}
        value={log.max_bytes > 0 ? formats.share(log.bytes / log.max_bytes) : "–"}
      />
    </>
  );
}

/** Who serves what, and how long the lines are. */
export function LaneTable({
  lanes,
  counted = true,
  now,
}: {
  lanes: readonly Lane[];
  /** With it, the table says how long the first of each line waits. */
  now?: number | undefined;
  /** Whether it is known what waits and runs. */
  counted?: boolean;
}): ReactNode {
  const { strings, formats } = useSpoken();
  const { operations } = strings;
  const count = (value: number) => (counted ? formats.number(value) : "–");
  const share = (value: number | null) => (value === null ? "–" : formats.share(value));
  const duration = (value: number | null) => (value === null ? "–" : formats.duration(value));
  const id = useId();
  return (
    <section className={styles.panel}>
      <h2 className={styles.heading} id={id}>
        {operations.lanes}
      </h2>
      {lanes.length === 0 ? (
        <p className={styles.none}>{operations.noLanes}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        <section className={styles.scroll} aria-labelledby={id} tabIndex={0}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{operations.lane}</th>
                <th scope="col">{operations.kind}</th>
                <th scope="col">{operations.health}</th>
                <th scope="col" className={styles.count}>
                  {operations.waiting}
                </th>
                {now !== undefined && (
                  <th scope="col" className={styles.count}>
                    {operations.oldest}
                  </th>
                )}
                <th scope="col" className={styles.count}>
                  {operations.running}
                </th>
                <th scope="col" className={styles.count}>
                  {operations.successRate}
                </th>
                <th scope="col" className={styles.count}>
                  {operations.median}
                </th>
                <th scope="col" className={styles.count}>
                  {operations.slowest}
                </th>
                <th scope="col" className={styles.count}>
                  {operations.counted}
                </th>
              </tr>
            </thead>
            <tbody>
              {lanes.map((lane) => (
                <tr key={`${lane.type}.${lane.provider.name}`}>
                  <th scope="row">{lane.provider.name}</th>
                  <td>{kindOf(lane.type, strings)}</td>
                  <td>
                    <HealthOf provider={lane.provider} />
                  </td>
                  <td className={styles.count}>{count(lane.waiting)}</td>
                  {now !== undefined && (
                    <td className={styles.count}>{duration(waitedFor(lane.since, now))}</td>
                  )}
                  <td className={styles.count}>{count(lane.running)}</td>
                  <td className={styles.count}>{share(lane.provider.success_rate)}</td>
                  <td className={styles.count}>{duration(lane.provider.p50_s)}</td>
                  <td className={styles.count}>{duration(lane.provider.p95_s)}</td>
                  <td className={styles.count}>{formats.number(lane.provider.finished)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

const LOOKS: Record<Health, "well" | "ill" | "unsure"> = {
  healthy: "well",
  unserved: "ill",
  open: "ill",
  probing: "unsure",
};

function HealthOf({ provider }: { provider: ProviderOffer }): ReactNode {
  const { strings, formats } = useSpoken();
  const { operations } = strings;
  const health = healthOf(provider);
  const { until } = provider.breaker;
  const words: Record<Health, string> = {
    healthy: operations.healthy,
    unserved: operations.unhealthy,
    open: operations.circuitOpen(until === null ? null : formats.time(until)),
    probing: operations.probing,
  };
  return <span className={`${styles.health} ${styles[LOOKS[health]]}`}>{words[health]}</span>;
}

/** What went wrong last, and why. */
export function FailureList({
  tasks,
  now,
  onOpen,
}: {
  /** Null while nothing is known. */
  tasks: readonly Task[] | null;
  now: number;
  onOpen: (task: Task) => void;
}): ReactNode {
  const { strings, formats } = useSpoken();
  return (
    <section className={styles.panel}>
      <h2 className={styles.heading}>{strings.operations.failures}</h2>
      {tasks === null || tasks.length === 0 ? (
        <p className={styles.none}>
          {tasks === null ? strings.operations.unknown : strings.operations.noFailures}
        </p>
      ) : (
        <ul className={styles.failures}>
          {tasks.map((task) => {
            const { icon: Icon, title, text } = failureOf(task, strings);
            return (
              <li key={task.task_id}>
                <button type="button" className={styles.failure} onClick={() => onOpen(task)}>
                  <Icon aria-hidden />
                  <div>
                    <p>{nameOf(task, kindOf(task.type, strings))}</p>
                    <p className={styles.what}>
                      {title}: {text}
                    </p>
                  </div>
                  {task.finished_at && (
                    <time dateTime={task.finished_at}>{formats.ago(task.finished_at, now)}</time>
                  )}
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
