import type { ReactNode } from "react";
import styles from "./ProgressBar.module.css";

/** How far it is, 0–100; null when that isn't known. */
export function ProgressBar({
  percent,
  label,
}: {
  percent: number | null;
  label: string;
}): ReactNode {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent !== null && { "aria-valuenow": percent })}
      className={`${styles.track} ${percent === null ? styles.unknown : ""}`}
    >
      <div className={styles.bar} style={percent === null ? {} : { width: `${percent}%` }} />
    </div>
  );
}
