import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./EmptyState.module.css";

/** Where something will be, and what to do to get it there. */
export function EmptyState({
  icon: Icon,
  title,
  wholePage = false,
  children,
  actions,
}: {
  icon: LucideIcon;
  title: string;
  /** Nothing else is on the page: the title is its heading. */
  wholePage?: boolean;
  children?: ReactNode;
  actions?: ReactNode;
}): ReactNode {
  const Title = wholePage ? "h1" : "p";
  return (
    <div className={styles.empty}>
      <Icon aria-hidden />
      <Title className={styles.title}>{title}</Title>
      {children && <p className={styles.text}>{children}</p>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
