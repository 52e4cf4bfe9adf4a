import { CircleSlash } from "lucide-react";
import type { ReactNode } from "react";
import { kindOf } from "../strings/kinds.ts";
import { useSpoken } from "../strings/language.tsx";
import { failureOf } from "../tasks/failure.ts";
import { artifactsOf, isLate } from "../tasks/notes.ts";
import { isLive, nameOf, type Task } from "../tasks/task.ts";
import styles from "./HistoryTile.module.css";
import { Preview } from "./Preview.tsx";
import { Skeleton } from "./Skeleton.tsx";
import { DevelopingTray, EndedTray, WaitingTray } from "./Tray.tsx";

/** A task in the history: what became of it, at a glance. */
export function HistoryTile({
  task,
  now,
  onOpen,
}: {
  task: Task;
  now: number;
  onOpen: () => void;
}): ReactNode {
  const { strings, formats } = useSpoken();
  const kind = kindOf(task.type, strings);
  const name = nameOf(task, kind);
  return (
    <button type="button" className={styles.tile} onClick={onOpen} data-task={task.task_id}>
      <span className={styles.media}>
        <TileMedia task={task} />
      </span>
      <span className={styles.body}>
        <span className={styles.name}>{name}</span>
        <span className={styles.line}>
          <span>
            {isLate(task)
              ? strings.tasks.cameLate
              : task.status === "completed"
                ? kind
                : strings.history.statuses[task.status]}
          </span>
          <time dateTime={task.created_at}>{formats.agoShort(task.created_at, now)}</time>
        </span>
      </span>
    </button>
  );
}

function TileMedia({ task }: { task: Task }): ReactNode {
  const { strings } = useSpoken();
  const [artifact] = artifactsOf(task);
  // The tile's own text names it: a picture with the same name would be said twice.
  if (artifact !== undefined) return <Preview artifact={artifact} name="" />;
  if (isLive(task)) {
    return task.attempt > 0 ? (
      <DevelopingTray percent={task.progress} />
    ) : (
      <WaitingTray place={task.queue_position} />
    );
  }
  if (task.status === "failed") return <EndedTray icon={failureOf(task, strings).icon} bad />;
  return <EndedTray icon={CircleSlash} bad={false} />;
}

export function TileGrid({ children, label }: { children: ReactNode; label: string }): ReactNode {
  return (
    <ul className={styles.grid} aria-label={label}>
      {children}
    </ul>
  );
}

export function TileSkeletons({ count = 8 }: { count?: number }): ReactNode {
  const { app } = useSpoken().strings;
  return (
    <div className={styles.grid} role="status" aria-label={app.loading}>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <Skeleton key={index} className={styles.skeleton} />
      ))}
    </div>
  );
}
