import { Clock, ImageUp, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useStrings } from "../strings/language.tsx";
import styles from "./Tray.module.css";

/** The place of a picture that is still being made. */
export function DevelopingTray({ percent }: { percent: number | null }): ReactNode {
  const strings = useStrings();
  return (
    <span className={styles.tray} aria-hidden>
      <span className={styles.bath} />
      {percent !== null && percent > 0 && (
        <span className={styles.percent}>{strings.tasks.progress(percent)}</span>
      )}
    </span>
  );
}

/** The place in the line, large. */
export function WaitingTray({ place }: { place: number | null }): ReactNode {
  const strings = useStrings();
  return (
    <span className={`${styles.tray} ${styles.still}`} aria-hidden>
      {place !== null && place > 0 ? (
        <span className={styles.place}>
          <span className={styles.number}>{place}</span>
          <span className={styles.caption}>{strings.tasks.waiting}</span>
        </span>
      ) : (
        <Clock />
      )}
    </span>
  );
}

/** The photo that a task waits for, once this page has it. */
export function PhotoTray({ preview }: { preview: string | null }): ReactNode {
  return (
    <span className={`${styles.tray} ${styles.still}`} aria-hidden>
      {preview === null ? <ImageUp /> : <img className={styles.photo} src={preview} alt="" />}
    </span>
  );
}

/** Where no picture will be: the reason as an icon. */
export function EndedTray({ icon: Icon, bad }: { icon: LucideIcon; bad: boolean }): ReactNode {
  return (
    <span className={`${styles.tray} ${bad ? styles.bad : styles.still}`} aria-hidden>
      <Icon />
    </span>
  );
}
