import { Box, FileQuestion } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useStrings } from "../strings/language.tsx";
import { localUrl, type Task } from "../tasks/task.ts";
import styles from "./Preview.module.css";

type Artifact = Task["artifacts"][number];

/** What a task made, as far as a browser can show it. With `onOpen` it is a button. */
export function Preview({
  artifact,
  name,
  whole = false,
  onOpen,
}: {
  artifact: Artifact;
  name: string;
  /** Show all of it, with a margin if need be, rather than fill the frame. */
  whole?: boolean;
  onOpen?: (() => void) | undefined;
}): ReactNode {
  const strings = useStrings();
  const [broken, setBroken] = useState(false);
  const kind = broken ? "file" : artifact.content_type.split("/")[0];
  const url = localUrl(artifact.url);
  if (kind !== "image" && kind !== "video") {
    const Icon = kind === "model" ? Box : FileQuestion;
    return (
      <div className={styles.file}>
        <Icon aria-hidden />
        {strings.tasks.noPreview}
      </div>
    );
  }
  const media =
    kind === "image" ? (
      <img
        className={styles.media}
        src={url}
        alt={name}
        decoding="async"
        loading="lazy"
        width={artifact.width ?? undefined}
        height={artifact.height ?? undefined}
        onError={() => setBroken(true)}
      />
    ) : (
      <video className={styles.media} src={url} muted playsInline preload="metadata" />
    );
  if (onOpen === undefined) return media;
  return (
    <button
      type="button"
      className={`${styles.open} ${whole ? styles.whole : ""}`}
      onClick={onOpen}
      aria-label={strings.tasks.openOf(name)}
    >
      {media}
    </button>
  );
}
