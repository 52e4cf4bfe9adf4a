import { ImageUp, RotateCw } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { useStrings } from "../strings/language.tsx";
import { problemText, type ToldProblem } from "../tasks/failure.ts";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";
import { ProgressBar } from "./ProgressBar.tsx";
import styles from "./TaskCard.module.css";

/** The photo of a task that waits for it, as far as this page knows it. */
export interface PhotoOnItsWay {
  readonly percent: number;
  /** Why it has not arrived; null while it is being sent. */
  readonly problem: ToldProblem | null;
  /** An address of this page alone. */
  readonly preview: string;
}

export interface PhotoStateProps {
  /** Null when the page has none, as after a reload. */
  readonly photo: PhotoOnItsWay | null;
  readonly onChoose: (file: File) => void;
  readonly onAgain: () => void;
}

/** How far the photo of a task is, and what can be done to get it there. */
export function PhotoState({ photo, onChoose, onAgain }: PhotoStateProps): ReactNode {
  const strings = useStrings();
  const { tasks } = strings;
  const input = useRef<HTMLInputElement>(null);
  if (photo !== null && photo.problem === null) {
    const text = tasks.photoOnItsWay(photo.percent);
    return (
      <>
        <p className={styles.line}>
          <span className={styles.state}>{text}</span>
        </p>
        <ProgressBar percent={photo.percent} label={text} />
      </>
    );
  }
  return (
    <Notice
      tone="warn"
      icon={ImageUp}
      title={photo === null ? tasks.photoWanted : tasks.photoLost}
      live={photo !== null}
      actions={
        <>
          {photo !== null && (
            <Button icon={RotateCw} onClick={onAgain}>
              {tasks.sendAgain}
            </Button>
          )}
          <input
            ref={input}
            type="file"
            accept="image/*"
            hidden
            onChange={(event) => {
              const [file] = event.target.files ?? [];
              event.target.value = "";
              if (file !== undefined) onChoose(file);
            }}
          />
          <Button icon={ImageUp} onClick={() => input.current?.click()}>
            {tasks.choosePhoto}
          </Button>
        </>
      }
    >
      {photo?.problem && problemText(photo.problem, strings)}
    </Notice>
  );
}
