import type { ReactNode } from "react";
import type { PageName } from "../routes.ts";
import { useStrings } from "../strings/language.tsx";
import styles from "./PageHeader.module.css";

export function PageHeader({ page }: { page: PageName }): ReactNode {
  const { title, lead } = useStrings().pages[page];
  return (
    <header className={styles.header}>
      <h1 className={styles.title}>{title}</h1>
      <p className={styles.lead}>{lead}</p>
    </header>
  );
}
