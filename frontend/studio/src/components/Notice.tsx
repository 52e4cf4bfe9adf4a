import { CircleAlert, CircleCheck, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./Notice.module.css";

export type Tone = "info" | "warn" | "bad" | "good";

const ICONS: Record<Tone, LucideIcon> = {
  info: Info,
  warn: TriangleAlert,
  bad: CircleAlert,
  good: CircleCheck,
};

/** Something to know, with what can be done about it. */
export function Notice({
  tone = "info",
  icon,
  title,
  children,
  actions,
  live = false,
}: {
  tone?: Tone;
  icon?: LucideIcon;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** Whether screen readers say it when it appears. */
  live?: boolean;
}): ReactNode {
  const Icon = icon ?? ICONS[tone];
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role={live ? "status" : undefined}>
      <Icon aria-hidden />
      <div className={styles.body}>
        <p className={styles.title}>{title}</p>
        {children && <p className={styles.text}>{children}</p>}
        {actions && <div className={styles.actions}>{actions}</div>}
      </div>
    </div>
  );
}
