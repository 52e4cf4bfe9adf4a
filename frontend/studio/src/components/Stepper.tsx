import { type ReactNode, useId, useState } from "react";
import { useStrings } from "../strings/language.tsx";
import type { Strings } from "../strings/strings.ts";
import { DONE_ICON, type Step, type StepName, type StepState } from "../tasks/stages.ts";
import styles from "./Stepper.module.css";

export interface StepperProps {
  readonly steps: readonly Step[];
  /** What to tell at a step that failed. */
  readonly why?: string | null;
}

/** The way of a task: what is done, what goes on, what is to come, and where it failed. */
export function Stepper({ steps, why = null }: StepperProps): ReactNode {
  const strings = useStrings();
  const many = steps.length > 3;
  const at = steps.findIndex(({ here }) => here);
  const here = steps[at];
  return (
    <div className={styles.stepper}>
      <ol className={`${styles.steps} ${many ? styles.many : ""}`} aria-label={strings.tasks.steps}>
        {steps.map((step) => (
          <li
            key={step.key}
            className={`${styles.step} ${styles[step.state]}`}
            aria-current={step.here ? "step" : undefined}
            title={step.state === "failed" && why !== null ? undefined : nameOf(step.name, strings)}
          >
            <span className={styles.rail} />
            {step.state === "failed" && why !== null ? (
              <Failed step={step} why={why} />
            ) : (
              <Label step={step} />
            )}
          </li>
        ))}
      </ol>
      {many && here && (
        <p className={`${styles.here} ${styles[here.state]}`} aria-hidden>
          <span className={styles.count}>
            {at + 1}/{steps.length}
          </span>
          {nameOf(here.name, strings)}
        </p>
      )}
    </div>
  );
}

function Label({ step: { name, icon: Icon, state } }: { step: Step }): ReactNode {
  const strings = useStrings();
  const Shown = state === "done" ? DONE_ICON : Icon;
  return (
    <span className={styles.label}>
      <Shown aria-hidden />
      <span className={styles.text}>{nameOf(name, strings)}</span>
      <span className="hidden-visually">, {spoken(state, strings)}</span>
    </span>
  );
}

/** The step that failed: why is told to those who point at it, and to those who come by keyboard. */
function Failed({ step, why }: { step: Step; why: string }): ReactNode {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const id = useId();
  const hide = () => {
    setPointed(false);
    setFocused(false);
  };
  return (
    // What is told stays while the pointer is on it, too.
    <span
      className={styles.failure}
      onPointerEnter={() => setPointed(true)}
      onPointerLeave={() => setPointed(false)}
    >
      <button
        type="button"
        className={styles.why}
        aria-describedby={id}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        onClick={() => setFocused(true)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !(pointed || focused)) return;
          // The dialog around it, if there is one, is for the next press.
          event.stopPropagation();
          hide();
        }}
      >
        <Label step={step} />
      </button>
      <span role="tooltip" id={id} className={styles.tooltip} hidden={!(pointed || focused)}>
        {why}
      </span>
    </span>
  );
}

function nameOf(name: StepName, strings: Strings): string {
  return name.of === "stages" ? strings.stages[name.name] : strings.photoSteps[name.name];
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
