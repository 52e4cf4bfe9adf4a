import { Box, FileQuestion, ImageOff } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useStrings } from "../strings/language.tsx";
import { localUrl, type Task } from "../tasks/task.ts";
import styles from "./Preview.module.css";

type Artifact = Task["artifacts"][number];

const AGAIN_MS = 3000;

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
  const [missing, setMissing] = useState(false);
  // Whatever it was, a network or a server that was away, may be over.
  useEffect(() => {
    if (!missing) return;
    const timer = setTimeout(() => setMissing(false), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [missing]);
  const kind = artifact.content_type.split("/")[0];
  const url = localUrl(artifact.url);
  if (missing) {
    return (
      <span className={styles.file}>
        <ImageOff aria-hidden />
        {strings.tasks.notLoaded}
      </span>
    );
  }
  if (kind !== "image" && kind !== "video") {
    const Icon = kind === "model" ? Box : FileQuestion;
    return (
      <span className={styles.file}>
        <Icon aria-hidden />
        {strings.tasks.noPreview}
      </span>
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
        onError={() => setMissing(true)}
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
