import {
  Check,
  CirclePause,
  CircleSlash,
  Clock,
  Download,
  History,
  Hourglass,
  RotateCw,
  X,
} from "lucide-react";
import type { ReactNode } from "react";
import { kindOf } from "../strings/kinds.ts";
import { useSpoken } from "../strings/language.tsx";
import type { Strings } from "../strings/strings.ts";
import { failureOf } from "../tasks/failure.ts";
import {
  artifactsOf,
  checkingText,
  isLate,
  isOnHold,
  type Reason,
  reasonText,
  substitutionText,
} from "../tasks/notes.ts";
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
import { PhotoState, type PhotoStateProps } from "./PhotoState.tsx";
import { Gallery } from "./Preview.tsx";
import { ProgressBar } from "./ProgressBar.tsx";
import { Stepper } from "./Stepper.tsx";
import styles from "./TaskCard.module.css";
import { DevelopingTray, EndedTray, PhotoTray, WaitingTray } from "./Tray.tsx";

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
  /** Why it stands still, as far as that was told apart from the task. */
  readonly reason?: Reason | null;
  /** For a task that waits for its photo. */
  readonly photo?: PhotoStateProps;
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

function Media({ task, name, photo, onOpen }: Named): ReactNode {
  const { strings } = useSpoken();
  const artifacts = artifactsOf(task);
  if (isLate(task)) return <Gallery artifacts={artifacts} name={name} onOpen={onOpen} />;
  switch (phaseOf(task)) {
    case "completed":
      return artifacts.length === 0 ? (
        <EndedTray icon={Check} bad={false} />
      ) : (
        <Gallery
          artifacts={artifacts}
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
    case "photo":
      return <PhotoTray preview={photo?.photo?.preview ?? null} />;
    case "waiting":
    case "scheduled":
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

function State({ task, now, name, photo, reason = null }: Named): ReactNode {
  const { strings, formats } = useSpoken();
  const { tasks } = strings;
  const eta =
    task.eta_seconds === null
      ? null
      : tasks.eta(formats.duration(Math.max(1, Math.round(task.eta_seconds))));
  const steps = <Stepper steps={stepsOf(task)} />;
  const held = reasonText(task, reason, strings, formats);
  const notes = [substitutionText(task, strings), checkingText(task, strings)].map(
    (note) =>
      note !== null && (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ),
  );
  if (isOnHold(task, reason)) {
    return (
      <>
        <Notice tone="warn" icon={CirclePause} title={tasks.onHold} live>
          {tasks.onHoldHint}
        </Notice>
        {steps}
      </>
    );
  }
  switch (phaseOf(task)) {
    case "scheduled":
      return <p className={styles.line}>{tasks.waiting}</p>;
    case "photo":
      return (
        <>
          {photo === undefined ? (
            <p className={styles.line}>{tasks.waitingForPhoto}</p>
          ) : (
            <PhotoState {...photo} />
          )}
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
            {held === null && eta !== null && <span>{eta}</span>}
          </p>
          {held !== null && <Notice tone="warn" icon={Hourglass} title={held} live />}
          {notes}
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
          {notes}
          {steps}
        </>
      );
    case "completed":
      return (
        <>
          <p className={styles.line}>
            <span className={`${styles.state} ${styles.good}`}>
              <Check aria-hidden />
              {tasks.completed}
            </span>
            <Ended task={task} now={now} />
          </p>
          {notes}
          {task.type === "PHOTO_TO_3D" && steps}
        </>
      );
    case "failed": {
      const failure = failureOf(task, strings);
      return (
        <>
          <Notice tone="bad" icon={failure.icon} title={failure.title}>
            {failure.text}
          </Notice>
          {task.type === "PHOTO_TO_3D" && <Stepper steps={stepsOf(task)} why={failure.text} />}
          {isLate(task) && (
            <Notice icon={History} title={tasks.cameLate}>
              {tasks.cameLateHint}
            </Notice>
          )}
          {notes}
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
  const artifacts = artifactsOf(task);
  const [only] = artifacts;
  // Of several each has its own way out, in the large view.
  const download = artifacts.length === 1 && only !== undefined && (
    <ButtonLink
      icon={Download}
      href={localUrl(only.url)}
      download={fileName(name, only.content_type)}
    >
      {tasks.download}
    </ButtonLink>
  );
  switch (phaseOf(task)) {
    case "completed":
      return download && <div className={styles.actions}>{download}</div>;
    case "failed":
    case "cancelled":
      return (
        (onRetry || download) && (
          <div className={styles.actions}>
            {onRetry && (
              <Button icon={RotateCw} onClick={onRetry} disabled={busy}>
                {tasks.retry}
              </Button>
            )}
            {download}
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
