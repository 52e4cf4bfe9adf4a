import { Check, CircleSlash, Clock, Download, RotateCw, X } from "lucide-react";
import type { ReactNode } from "react";
import { kindOf } from "../strings/kinds.ts";
import { useSpoken } from "../strings/language.tsx";
import type { Strings } from "../strings/strings.ts";
import { failureOf } from "../tasks/failure.ts";
import { stepsOf } from "../tasks/stages.ts";
import {
  fileName,
  hostOf,
  isOwnFile,
  localUrl,
  nameOf,
  phaseOf,
  type Task,
} from "../tasks/task.ts";
import { Button, ButtonLink } from "./Button.tsx";
import { Notice } from "./Notice.tsx";
import { Preview } from "./Preview.tsx";
import { ProgressBar } from "./ProgressBar.tsx";
import { Stepper } from "./Stepper.tsx";
import styles from "./TaskCard.module.css";
import { DevelopingTray, EndedTray, WaitingTray } from "./Tray.tsx";

export interface TaskCardProps {
  readonly task: Task;
  /** Milliseconds: for "2 minutes ago". */
  readonly now: number;
  /** Ended since the last visit. */
  readonly fresh?: boolean;
  /** A cancel or retry that is on its way. */
  readonly busy?: boolean;
  /** Why the last cancel or retry was refused. */
  readonly problem?: string | null;
  readonly onCancel?: () => void;
  readonly onRetry?: () => void;
  readonly onOpen?: () => void;
}

/** One task, from its place in the line to its picture, or to the reason why there is none. */
export function TaskCard(props: TaskCardProps): ReactNode {
  const { task, fresh = false, problem = null } = props;
  const { strings } = useSpoken();
  const name = nameOf(task, kindOf(task.type, strings));
  return (
    <article className={styles.card} aria-label={name} data-task={task.task_id}>
      <div className={styles.media}>
        {fresh && <span className={styles.fresh}>{strings.tasks.fresh}</span>}
        <Media {...props} name={name} />
      </div>
      <div className={styles.body}>
        <h3 className={styles.name}>{name}</h3>
        <References task={task} />
        <State {...props} name={name} />
        {problem !== null && <Notice tone="warn" title={problem} live />}
        <Actions {...props} name={name} />
      </div>
    </article>
  );
}

type Named = TaskCardProps & { readonly name: string };

function Media({ task, name, onOpen }: Named): ReactNode {
  const { strings } = useSpoken();
  const artifact = task.artifacts[0];
  switch (phaseOf(task)) {
    case "completed":
      return artifact === undefined ? (
        <EndedTray icon={Check} bad={false} />
      ) : (
        <Preview
          artifact={artifact}
          name={name}
          whole={task.type === "WHITE_BACKGROUND"}
          onOpen={onOpen}
        />
      );
    case "failed":
      return <EndedTray icon={failureOf(task, strings).icon} bad />;
    case "cancelled":
      return <EndedTray icon={CircleSlash} bad={false} />;
    case "running":
      return <DevelopingTray percent={task.progress} />;
    case "waiting":
    case "scheduled":
    case "photo":
      return <WaitingTray place={task.queue_position} />;
  }
}

function References({ task }: { task: Task }): ReactNode {
  const { strings } = useSpoken();
  if (task.reference_images.length === 0) return null;
  return (
    <ul className={styles.references}>
      {task.reference_images.map((url, index) => (
        <li key={url}>
          {isOwnFile(url) ? (
            <img src={localUrl(url)} alt={strings.tasks.reference(index + 1)} loading="lazy" />
          ) : (
            <a href={url} rel="noreferrer noopener" target="_blank">
              {strings.tasks.externalReference(hostOf(url))}
            </a>
          )}
        </li>
      ))}
    </ul>
  );
}

function State({ task, now, name }: Named): ReactNode {
  const { strings, formats } = useSpoken();
  const { tasks } = strings;
  const eta =
    task.eta_seconds === null
      ? null
      : tasks.eta(formats.duration(Math.max(1, Math.round(task.eta_seconds))));
  const steps = <Stepper steps={stepsOf(task)} />;
  switch (phaseOf(task)) {
    case "scheduled":
      return <p className={styles.line}>{tasks.waiting}</p>;
    case "photo":
      return (
        <>
          <p className={styles.line}>{tasks.waitingForPhoto}</p>
          {steps}
        </>
      );
    case "waiting":
      return (
        <>
          <p className={styles.line}>
            <span className={styles.state}>
              <Clock aria-hidden />
              {placeText(task.queue_position, tasks)}
            </span>
            {eta !== null && <span>{eta}</span>}
          </p>
          {steps}
        </>
      );
    case "running":
      return (
        <>
          <p className={styles.line}>
            <span className={styles.state}>{tasks.working}</span>
            <span>
              {[
                task.attempt > 1 ? tasks.attempt(task.attempt) : null,
                eta ?? tasks.progress(task.progress),
              ]
                .filter((each) => each !== null)
                .join(" · ")}
            </span>
          </p>
          <ProgressBar
            percent={task.progress === 0 ? null : task.progress}
            label={tasks.progressOf(name)}
          />
          {steps}
        </>
      );
    case "completed":
      return (
        <p className={styles.line}>
          <span className={`${styles.state} ${styles.good}`}>
            <Check aria-hidden />
            {tasks.completed}
          </span>
          <Ended task={task} now={now} />
        </p>
      );
    case "failed": {
      const failure = failureOf(task, strings);
      return (
        <>
          <Notice tone="bad" icon={failure.icon} title={failure.title}>
            {failure.text}
          </Notice>
          {task.type === "PHOTO_TO_3D" && steps}
          <p className={styles.line}>
            <Ended task={task} now={now} />
          </p>
        </>
      );
    }
    case "cancelled":
      return (
        <p className={styles.line}>
          <span className={styles.state}>
            <CircleSlash aria-hidden />
            {tasks.cancelled}
          </span>
          <Ended task={task} now={now} />
        </p>
      );
  }
}

function placeText(place: number | null, words: Strings["tasks"]): string {
  if (place === null || place === 0) return words.waiting;
  return words.place(place);
}

function Ended({ task, now }: { task: Task; now: number }): ReactNode {
  const { formats } = useSpoken();
  if (task.finished_at === null) return null;
  return (
    <time dateTime={task.finished_at} title={formats.moment(task.finished_at)}>
      {formats.ago(task.finished_at, now)}
    </time>
  );
}

function Actions({ task, name, busy = false, onCancel, onRetry }: Named): ReactNode {
  const { strings } = useSpoken();
  const { tasks } = strings;
  const artifact = task.artifacts[0];
  switch (phaseOf(task)) {
    case "completed":
      return (
        artifact !== undefined && (
          <div className={styles.actions}>
            <ButtonLink
              icon={Download}
              href={localUrl(artifact.url)}
              download={fileName(name, artifact.content_type)}
            >
              {tasks.download}
            </ButtonLink>
          </div>
        )
      );
    case "failed":
    case "cancelled":
      return (
        onRetry && (
          <div className={styles.actions}>
            <Button icon={RotateCw} onClick={onRetry} disabled={busy}>
              {tasks.retry}
            </Button>
          </div>
        )
      );
    default:
      return (
        onCancel && (
          <div className={styles.actions}>
            <Button icon={X} onClick={onCancel} disabled={busy}>
              {tasks.cancel}
            </Button>
          </div>
        )
      );
  }
}

/** Cards side by side, as many as fit. */
export function CardGrid({ children, label }: { children: ReactNode; label: string }): ReactNode {
  return (
    <section className={styles.grid} aria-label={label}>
      {children}
    </section>
  );
}
