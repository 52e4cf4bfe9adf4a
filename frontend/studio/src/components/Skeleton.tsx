import type { ReactNode } from "react";
import styles from "./Skeleton.module.css";

/** The outline of what is being loaded; its container says so to screen readers. */
export function Skeleton({ className = "" }: { className?: string | undefined }): ReactNode {
  return <div aria-hidden className={`${styles.skeleton} ${className}`} />;
}
