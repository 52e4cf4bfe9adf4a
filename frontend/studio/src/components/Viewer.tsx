import { Dialog } from "@base-ui/react/dialog";
import type { Artifact, TaskEvent } from "@darkroom/client";
import {
  ChevronLeft,
  ChevronRight,
  Copy,
  CopyCheck,
  Download,
  History,
  ImageOff,
  RotateCw,
  X,
} from "lucide-react";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { kindOf } from "../strings/kinds.ts";
import { useSpoken } from "../strings/language.tsx";
import type { Strings } from "../strings/strings.ts";
import { failureOf } from "../tasks/failure.ts";
import { artifactsOf, checkingText, isLate, substitutionText } from "../tasks/notes.ts";
import { stepsOf } from "../tasks/stages.ts";
import { fileName, isLive, localUrl, nameOf, type Task } from "../tasks/task.ts";
import { seconds, type TimelineRow, timelineOf } from "../tasks/timeline.ts";
import { Button, ButtonLink } from "./Button.tsx";
import { Notice } from "./Notice.tsx";
import { Preview } from "./Preview.tsx";
import { Skeleton } from "./Skeleton.tsx";
import { Stepper } from "./Stepper.tsx";
import { DevelopingTray, EndedTray, WaitingTray } from "./Tray.tsx";
import styles from "./Viewer.module.css";

export interface ViewerProps {
  /** Null while it is being loaded. */
  readonly task: Task | null;
  /** Why it can't be shown. */
  readonly problem?: string | null;
  /** Why it could not be tried again. */
  readonly refused?: string | null;
  readonly events: readonly TaskEvent[] | null;
  readonly eventsFailed?: boolean;
  readonly onClose: () => void;
  readonly onRetry?: (() => void) | undefined;
}

/** One task, large: its picture, what is known of it, and what happened. */
export function Viewer({
  task,
  problem = null,
  refused = null,
  events,
  eventsFailed = false,
  onClose,
  onRetry,
}: ViewerProps): ReactNode {
  const { strings } = useSpoken();
  const [chosen, setChosen] = useState(0);
  const artifacts = task === null ? [] : artifactsOf(task);
  const artifact = artifacts[chosen] ?? artifacts[0];
  const step = (by: number) =>
    setChosen((before) => (before + by + artifacts.length) % artifacts.length);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    // A film and a model have uses of their own for the arrows.
    const isTaken = (event.target as Element).closest("video, model-viewer") !== null;
    if (by !== undefined && artifacts.length > 1 && !isTaken) step(by);
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup className={styles.popup} onKeyDown={onKeyDown}>
          <Dialog.Close className={styles.close} aria-label={strings.viewer.close}>
            <X aria-hidden />
          </Dialog.Close>
          <div className={styles.stage}>
            {task !== null && <Stage task={task} artifact={artifact} />}
            {artifacts.length > 1 && (
              <Stepping
                at={artifacts.indexOf(artifact as Artifact)}
                of={artifacts.length}
                step={step}
              />
            )}
            {problem !== null && task === null && <EndedTray icon={ImageOff} bad={false} />}
          </div>
          <div className={styles.side}>
            {task === null && problem !== null ? (
              <Dialog.Title className={styles.title}>{problem}</Dialog.Title>
            ) : task === null ? (
              <>
                <Dialog.Title className="hidden-visually">{strings.app.loading}</Dialog.Title>
                <Skeleton className={styles.skeleton} />
              </>
            ) : (
              <Side
                task={task}
                artifact={artifact}
                refused={refused}
                events={events}
                eventsFailed={eventsFailed}
                onRetry={onRetry}
              />
            )}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** To the one before and after, of several. */
function Stepping({
  at,
  of,
  step,
}: {
  at: number;
  of: number;
  step: (by: number) => void;
}): ReactNode {
  const { viewer, tasks } = useSpoken().strings;
  return (
    <div className={styles.stepping}>
      <button type="button" aria-label={viewer.previous} onClick={() => step(-1)}>
        <ChevronLeft aria-hidden />
      </button>
      <span role="status">{tasks.artifactOf(at + 1, of)}</span>
      <button type="button" aria-label={viewer.next} onClick={() => step(1)}>
        <ChevronRight aria-hidden />
      </button>
    </div>
  );
}

function Stage({ task, artifact }: { task: Task; artifact: Artifact | undefined }): ReactNode {
  const { strings } = useSpoken();
  const name = nameOf(task, kindOf(task.type, strings));
  if (artifact !== undefined) {
    return <Preview key={artifact.url} artifact={artifact} name={name} life="handled" />;
  }
  if (isLive(task)) {
    return task.attempt > 0 ? (
      <DevelopingTray percent={task.progress} />
    ) : (
      <WaitingTray place={task.queue_position} />
    );
  }
  return <EndedTray icon={failureOf(task, strings).icon} bad={task.status === "failed"} />;
}

function Side({
  task,
  artifact,
  refused,
  events,
  eventsFailed,
  onRetry,
}: Pick<ViewerProps, "refused" | "events" | "eventsFailed" | "onRetry"> & {
  task: Task;
  artifact: Artifact | undefined;
}): ReactNode {
  const { strings } = useSpoken();
  const { viewer, tasks } = strings;
  const kind = kindOf(task.type, strings);
  const notes = [substitutionText(task, strings), checkingText(task, strings)];
  return (
    <>
      <Dialog.Title className={styles.title}>{task.prompt ?? kind}</Dialog.Title>
      {task.status === "failed" && <Failed task={task} />}
      {isLate(task) && (
        <Notice icon={History} title={tasks.cameLate}>
          {tasks.cameLateHint}
        </Notice>
      )}
      {(isLive(task) || task.type === "PHOTO_TO_3D") && task.status !== "cancelled" && (
        <Stepper
          steps={stepsOf(task)}
          why={task.status === "failed" ? failureOf(task, strings).text : null}
        />
      )}
      {notes.map((note) => note !== null && <p key={note}>{note}</p>)}
      <div className={styles.actions}>
        {artifact && (
          <ButtonLink
            icon={Download}
            href={localUrl(artifact.url)}
            download={fileName(nameOf(task, kind), artifact.content_type)}
          >
            {tasks.download}
          </ButtonLink>
        )}
        {onRetry && !isLive(task) && task.status !== "completed" && (
          <Button icon={RotateCw} onClick={onRetry}>
            {tasks.retry}
          </Button>
        )}
        {canCopy() && <CopyId id={task.task_id} />}
      </div>
      {refused && <Notice tone="warn" title={refused} live />}
      <Facts task={task} artifact={artifact} />
      <section>
        <h3 className={styles.heading}>{viewer.timeline}</h3>
        {eventsFailed ? (
          <Notice tone="warn" title={viewer.timelineFailed} />
        ) : events === null ? (
          <Skeleton className={styles.skeleton} />
        ) : (
          <Timeline rows={timelineOf(events)} />
        )}
      </section>
    </>
  );
}

function Failed({ task }: { task: Task }): ReactNode {
  const { strings } = useSpoken();
  const { icon, title, text } = failureOf(task, strings);
  return (
    <Notice tone="bad" icon={icon} title={title}>
      {text}
    </Notice>
  );
}

function Facts({ task, artifact }: { task: Task; artifact: Artifact | undefined }): ReactNode {
  const { strings, formats } = useSpoken();
  const { viewer } = strings;
  const waited = task.started_at === null ? null : seconds(task.created_at, task.started_at);
  const took =
    task.started_at === null || task.finished_at === null
      ? null
      : seconds(task.started_at, task.finished_at);
  const facts: readonly (readonly [string, string | null])[] = [
    [viewer.type, kindOf(task.type, strings)],
    [viewer.provider, task.provider],
    [viewer.asked, formats.moment(task.created_at)],
    [viewer.waited, waited === null ? null : formats.duration(waited)],
    [viewer.took, took === null ? null : formats.duration(took)],
    [viewer.attempts, task.attempt > 1 ? formats.number(task.attempt) : null],
    [viewer.size, artifact ? sizeOf(artifact, formats.bytes(artifact.bytes)) : null],
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(
        ([name, value]) =>
          value !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function sizeOf({ width, height }: Artifact, bytes: string): string {
  return width === null || height === null ? bytes : `${width} × ${height}, ${bytes}`;
}

function Timeline({ rows }: { rows: readonly TimelineRow[] }): ReactNode {
  const { strings, formats } = useSpoken();
  return (
    <ol className={styles.timeline}>
      {rows.map((row) => (
        <li key={row.sequence}>
          <span>{rowText(row, strings)}</span>
          <time dateTime={row.time}>+{formats.duration(row.after)}</time>
        </li>
      ))}
    </ol>
  );
}

function rowText({ type, stage, percent }: TimelineRow, { events, stages }: Strings): string {
  const known: Readonly<Record<string, string>> = { ...events };
  const names: Readonly<Record<string, string>> = { ...stages };
  const what = stage === null ? (known[type] ?? type) : (names[stage] ?? stage);
  return percent === null ? what : `${what}, ${percent} %`;
}

/** Browsers lend the clipboard only to pages on https and localhost. */
function canCopy(): boolean {
  return "clipboard" in navigator;
}

function CopyId({ id }: { id: string }): ReactNode {
  const { strings } = useSpoken();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    setCopied(
      await navigator.clipboard.writeText(id).then(
        () => true,
        () => false,
      ),
    );
  };
  return (
    <Button look="quiet" icon={copied ? CopyCheck : Copy} onClick={() => void copy()}>
      {copied ? strings.viewer.copied : strings.viewer.copy}
    </Button>
  );
}
