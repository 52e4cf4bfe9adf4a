import { Palette } from "lucide-react";
import type { ReactNode } from "react";
import { useStrings } from "../strings/language.tsx";
import styles from "./PainterNote.module.css";

/** Says honestly who paints here, and how to have a model do it. */
export function PainterNote(): ReactNode {
  const { painter } = useStrings();
  return (
    <details className={styles.note}>
      <summary>
        <Palette aria-hidden />
        {painter.title}
      </summary>
      <div className={styles.text}>
        <p>{painter.what}</p>
        <p>{painter.how}</p>
      </div>
    </details>
  );
}
