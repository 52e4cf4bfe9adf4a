import { Box, FileQuestion, ImageOff } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useStrings } from "../strings/language.tsx";
import { localUrl, type Task } from "../tasks/task.ts";
import { Film } from "./Film.tsx";
import { Model } from "./Model.tsx";
import styles from "./Preview.module.css";

type Artifact = Task["artifacts"][number];

const AGAIN_MS = 3000;
/** So many of several are shown on a card. */
const MOST = 4;

/** How much it does: nothing, move by itself, or what the one who looks at it likes. */
export type Life = "still" | "alive" | "handled";

/** What a task made, as far as a browser can show it. */
export function Preview({
  artifact,
  name,
  life = "still",
}: {
  artifact: Artifact;
  name: string;
  life?: Life;
}): ReactNode {
  const strings = useStrings();
  const [missing, setMissing] = useState(false);
  // Whatever it was, a network or a server that was away, may be over.
  useEffect(() => {
    if (!missing) return;
    const timer = setTimeout(() => setMissing(false), AGAIN_MS);
    return () => clearTimeout(timer);
  }, [missing]);
  const { content_type } = artifact;
  const url = localUrl(artifact.url);
  const controls = life === "handled";
  if (missing) {
    return (
      <span className={styles.file}>
        <ImageOff aria-hidden />
        {strings.tasks.notLoaded}
      </span>
    );
  }
  if (content_type.startsWith("image/")) {
    return (
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
    );
  }
  if (content_type.startsWith("video/")) {
    return life === "still" ? (
      <video className={styles.media} src={url} muted playsInline preload="metadata" />
    ) : (
      <Film url={url} name={name} controls={controls} onError={() => setMissing(true)} />
    );
  }
  if (content_type === "model/gltf-binary" && life !== "still") {
    return <Model url={url} name={name} controls={controls} />;
  }
  const isModel = content_type.startsWith("model/");
  const Icon = isModel ? Box : FileQuestion;
  return (
    <span className={styles.file}>
      <Icon aria-hidden />
      {isModel ? strings.tasks.model : strings.tasks.noPreview}
    </span>
  );
}

/** Everything that a task made, side by side, with a button over it that opens the large view. */
export function Gallery({
  artifacts,
  name,
  whole = false,
  onOpen,
}: {
  artifacts: readonly Artifact[];
  name: string;
  /** Show all of it, with a margin if need be, rather than fill the frame. */
  whole?: boolean;
  onOpen?: (() => void) | undefined;
}): ReactNode {
  const { tasks } = useStrings();
  const shown = artifacts.slice(0, MOST);
  const more = artifacts.length - shown.length;
  const many = artifacts.length > 1;
  return (
    <>
      <div
        className={`${styles.gallery} ${many ? styles.many : ""} ${whole ? styles.whole : ""}`}
        data-count={shown.length}
      >
        {shown.map((artifact, index) => (
          <div key={artifact.url} className={styles.each}>
            <Preview
              artifact={artifact}
              name={many ? `${name}, ${tasks.artifactOf(index + 1, artifacts.length)}` : name}
              life="alive"
            />
          </div>
        ))}
        {more > 0 && <span className={styles.more}>+{more}</span>}
      </div>
      {onOpen && (
        <button
          type="button"
          className={styles.open}
          onClick={onOpen}
          aria-label={tasks.openOf(name)}
        />
      )}
    </>
  );
}
