import { type ReactNode, useEffect, useRef } from "react";
import { movesLittle } from "../data/motion.ts";
import styles from "./Preview.module.css";

/** A video: it plays, without sound, while it is seen, and only for those who like motion. */
export function Film({
  url,
  name,
  controls,
  onError,
}: {
  url: string;
  name: string;
  controls: boolean;
  onError: () => void;
}): ReactNode {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const shown = video.current;
    if (shown === null || movesLittle()) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) shown.pause();
        // A browser may be set to play nothing by itself.
        else shown.play().catch(() => undefined);
      },
      { threshold: 0.25 },
    );
    observer.observe(shown);
    return () => observer.disconnect();
  }, []);
  return (
    <video
      ref={video}
      className={styles.media}
      src={url}
      aria-label={name === "" ? undefined : name}
      controls={controls}
      loop
      muted
      playsInline
      preload="metadata"
      onError={onError}
    />
  );
}
