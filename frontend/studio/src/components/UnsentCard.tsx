import type { SubmitTask } from "@darkroom/client";
import { CloudOff, RotateCw, X } from "lucide-react";
import type { ReactNode } from "react";
import { kindOf } from "../strings/kinds.ts";
import { useStrings } from "../strings/language.tsx";
import { problemText, type ToldProblem } from "../tasks/failure.ts";
import { nameOf } from "../tasks/task.ts";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";
import { ProgressBar } from "./ProgressBar.tsx";
import styles from "./TaskCard.module.css";
import { DevelopingTray, EndedTray } from "./Tray.tsx";

/** A task that was asked for and that the server has not confirmed yet. */
export function UnsentCard({
  request,
  state,
  problem,
  onResend,
  onDiscard,
}: {
  request: SubmitTask;
  state: "sending" | "unanswered" | "refused";
  problem: ToldProblem | null;
  onResend: () => void;
  onDiscard: () => void;
}): ReactNode {
  const strings = useStrings();
  const { tasks } = strings;
  const name = nameOf({ prompt: request.prompt ?? null }, kindOf(request.type, strings));
  return (
    <article className={styles.card} aria-label={name}>
      <div className={styles.media}>
        {state === "sending" ? (
          <DevelopingTray percent={null} />
        ) : (
          <EndedTray icon={CloudOff} bad={state === "refused"} />
        )}
      </div>
      <div className={styles.body}>
        <h3 className={styles.name}>{name}</h3>
        {state === "sending" ? (
          <>
            <p className={styles.line}>
              <span className={styles.state}>{tasks.sending}</span>
            </p>
            <ProgressBar percent={null} label={tasks.sending} />
          </>
        ) : (
          <>
            <Notice tone={state === "refused" ? "bad" : "warn"} title={tasks.unsent} live>
              {problem && problemText(problem, strings)}
            </Notice>
            <div className={styles.actions}>
              <Button icon={RotateCw} onClick={onResend}>
                {tasks.sendAgain}
              </Button>
              <Button look="quiet" icon={X} onClick={onDiscard}>
                {tasks.discard}
              </Button>
            </div>
          </>
        )}
      </div>
    </article>
  );
}
