import { RotateCw } from "lucide-react";
import { type ReactNode, useId } from "react";
import type { DeadLetters, Retried } from "../data/dead-letters.ts";
import { useSpoken } from "../strings/language.tsx";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";
import styles from "./Operations.module.css";

/** What could not be applied, and a way to try it again. */
export function DeadLetterTable({
  letters,
  now,
  busy,
  retried,
  failed,
  onRetry,
}: {
  letters: DeadLetters;
  now: number;
  /** A retry is on its way. */
  busy: boolean;
  /** What came of the last one. */
  retried: Retried | null;
  failed: boolean;
  /** One of them, or with null all. */
  onRetry: (sequence: number | null) => void;
}): ReactNode {
  const { strings, formats } = useSpoken();
  const { operations } = strings;
  const id = useId();
  return (
    <section className={styles.panel}>
      <div className={styles.bar}>
        <h2 className={styles.heading} id={id}>
          {operations.deadLetters}
        </h2>
        {letters.dead_letters.length > 0 && (
          <Button icon={RotateCw} disabled={busy} onClick={() => onRetry(null)}>
            {operations.retryAll}
          </Button>
        )}
      </div>
      <p className={styles.none}>
        {operations.deadLetterCount(letters.events, letters.tasks)}. {operations.deadLettersHint}
      </p>
      {failed && <Notice tone="bad" title={strings.problems.projection_busy} live />}
      {retried !== null && !failed && (
        <Notice
          tone={retried.parked === 0 ? "good" : "warn"}
          title={operations.retried(retried.applied, retried.parked)}
          live
        />
      )}
      {letters.dead_letters.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        <section className={styles.scroll} aria-labelledby={id} tabIndex={0}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{operations.deadTask}</th>
                <th scope="col">{operations.deadReason}</th>
                <th scope="col">{operations.deadSince}</th>
                <th scope="col" className={styles.count}>
                  {operations.deadTries}
                </th>
                <th scope="col" className={styles.count}>
                  {operations.deadWaiting}
                </th>
                <td />
              </tr>
            </thead>
            <tbody>
              {letters.dead_letters.map((letter) => (
                <tr key={letter.sequence}>
                  <th scope="row" className={styles.id}>
                    {letter.task_id}
                  </th>
                  <td className={styles.reason}>{letter.reason}</td>
                  <td>
                    <time dateTime={letter.first_at} title={formats.moment(letter.first_at)}>
                      {formats.ago(letter.first_at, now)}
                    </time>
                  </td>
                  <td className={styles.count}>{formats.number(letter.tries)}</td>
                  <td className={styles.count}>{formats.number(letter.waiting)}</td>
                  <td>
                    <Button
                      icon={RotateCw}
                      look="quiet"
                      aria-label={operations.retryOne(letter.task_id)}
                      disabled={busy}
                      onClick={() => onRetry(letter.sequence)}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}
