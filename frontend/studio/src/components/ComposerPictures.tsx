import { ImagePlus, RotateCw, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { GenerationPage } from "../routes.ts";
import { useStrings } from "../strings/language.tsx";
import { problemText } from "../tasks/failure.ts";
import { isPhotoPage, slotOf } from "../tasks/request.ts";
import { Button } from "./Button.tsx";
import styles from "./Composer.module.css";
import { Notice } from "./Notice.tsx";
import { ProgressBar } from "./ProgressBar.tsx";
import type { AddedPicture } from "./use-pictures.ts";

/** The pictures that were added, and the place for the next. */
export function PictureRow({
  page,
  pictures,
  most,
  add,
  remove,
}: {
  page: GenerationPage;
  pictures: readonly AddedPicture[];
  most: number;
  add: (files: readonly File[]) => void;
  remove: (id: string) => void;
}): ReactNode {
  const strings = useStrings();
  const room = isPhotoPage(page) && pictures.length < most;
  return (
    <div className={styles.pictures}>
      {pictures.map((picture, index) => (
        <AddedPictureView
          key={picture.id}
          picture={picture}
          label={strings.composer.slot[slotOf(page, index)]}
          onRemove={() => remove(picture.id)}
        />
      ))}
      {room && (
        <FileButton onFiles={add} multiple={most - pictures.length > 1}>
          {(choose) => (
            <button
              type="button"
              className={`${styles.zone} ${pictures.length > 0 ? styles.next : ""}`}
              onClick={choose}
            >
              <ImagePlus aria-hidden />
              <strong>
                {pictures.length === 0
                  ? strings.composer.choosePicture
                  : strings.composer.slot[slotOf(page, pictures.length)]}
              </strong>
              {pictures.length === 0 && <span>{strings.composer.dropHint}</span>}
            </button>
          )}
        </FileButton>
      )}
    </div>
  );
}

function AddedPictureView({
  picture,
  label,
  onRemove,
}: {
  picture: AddedPicture;
  label: string;
  onRemove: () => void;
}): ReactNode {
  const strings = useStrings();
  return (
    <figure className={`${styles.picture} ${styles[picture.state]}`}>
      <div className={styles.frame}>
        <img src={picture.preview} alt={picture.name} />
        {picture.state === "uploading" && (
          <div className={styles.bar}>
            <ProgressBar
              percent={picture.percent}
              label={strings.composer.uploading(picture.percent)}
            />
          </div>
        )}
      </div>
      <figcaption className={styles.caption}>{label}</figcaption>
      <button
        type="button"
        className={styles.remove}
        aria-label={strings.composer.remove(picture.name)}
        onClick={onRemove}
      >
        <X aria-hidden />
      </button>
    </figure>
  );
}

/** What became of those that did not arrive. */
export function Refusals({
  pictures,
  tooMany,
  onAgain,
}: {
  pictures: readonly AddedPicture[];
  tooMany: number | null;
  onAgain: (id: string) => void;
}): ReactNode {
  const strings = useStrings();
  const refused = pictures.flatMap(({ id, name, state, problem }) =>
    problem === null ? [] : [{ id, name, state, problem }],
  );
  if (refused.length === 0 && tooMany === null) return null;
  return (
    <div className={styles.refusals}>
      {refused.map(({ id, name, state, problem }) => (
        <Notice
          key={id}
          tone={state === "unanswered" ? "warn" : "bad"}
          title={name}
          live
          actions={
            state === "unanswered" && (
              <Button icon={RotateCw} onClick={() => onAgain(id)}>
                {strings.tasks.sendAgain}
              </Button>
            )
          }
        >
          {problemText(problem, strings)}
        </Notice>
      ))}
      {tooMany !== null && <Notice tone="warn" title={strings.composer.tooMany(tooMany)} live />}
    </div>
  );
}

/** Something to press that asks for files. */
export function FileButton({
  onFiles,
  multiple,
  children,
}: {
  onFiles: (files: readonly File[]) => void;
  multiple: boolean;
  children: (choose: () => void) => ReactNode;
}): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple={multiple}
        hidden
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same file once more shall be a change, too.
          event.target.value = "";
        }}
      />
      {children(() => input.current?.click())}
    </>
  );
}

/** A picture dropped anywhere on the page is added; elsewhere a browser leaves the page for it. */
export function useDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [depth, setDepth] = useState(0);
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files");
    const onEnter = (event: DragEvent) => hasFiles(event) && setDepth((before) => before + 1);
    const onLeave = (event: DragEvent) =>
      hasFiles(event) && setDepth((before) => Math.max(0, before - 1));
    const onOver = (event: DragEvent) => hasFiles(event) && event.preventDefault();
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setDepth(0);
      onFiles([...(event.dataTransfer?.files ?? [])]);
    };
    const handlers = { dragenter: onEnter, dragleave: onLeave, dragover: onOver, drop: onDrop };
    const names = Object.keys(handlers) as (keyof typeof handlers)[];
    for (const name of names) addEventListener(name, handlers[name]);
    return () => {
      for (const name of names) removeEventListener(name, handlers[name]);
    };
  }, [onFiles]);
  return depth > 0;
}

/** A picture pasted anywhere on the page is added; pasted text goes where it always goes. */
export function usePaste(onFiles: (files: readonly File[]) => void): void {
  useEffect(() => {
    const onPaste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      onFiles(files);
    };
    addEventListener("paste", onPaste);
    return () => removeEventListener("paste", onPaste);
  }, [onFiles]);
}
