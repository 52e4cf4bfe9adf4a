import type { ReactNode } from "react";
import { useStrings } from "../strings/language.tsx";
import type { Strings } from "../strings/strings.ts";
import { DONE_ICON, type Step, type StepState } from "../tasks/stages.ts";
import styles from "./Stepper.module.css";

/** The way of a task: what is done, what goes on, what is to come, and where it failed. */
export function Stepper({ steps }: { steps: readonly Step[] }): ReactNode {
  const strings = useStrings();
  return (
    <ol
      className={`${styles.steps} ${steps.length > 3 ? styles.many : ""}`}
      aria-label={strings.tasks.steps}
    >
      {steps.map(({ stage, icon: Icon, state }) => {
        const Shown = state === "done" ? DONE_ICON : Icon;
        return (
          <li
            key={stage}
            className={`${styles.step} ${styles[state]}`}
            aria-current={state === "current" ? "step" : undefined}
            title={strings.stages[stage]}
          >
            <span className={styles.rail} />
            <span className={styles.label}>
              <Shown aria-hidden />
              <span className={styles.text}>{strings.stages[stage]}</span>
              <span className="hidden-visually">, {spoken(state, strings)}</span>
            </span>
          </li>
        );
      })}
    </ol>
  );
}

function spoken(state: StepState, { tasks }: Strings): string {
  const words: Record<StepState, string> = {
    done: tasks.stepDone,
    current: tasks.stepCurrent,
    todo: tasks.stepTodo,
    failed: tasks.stepFailed,
  };
  return words[state];
}
