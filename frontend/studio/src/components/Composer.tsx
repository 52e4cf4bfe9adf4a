import type { GenerationTypeOffer, SubmitTask } from "@darkroom/client";
import { Paperclip, SlidersHorizontal, Sparkles } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";
import type { GenerationPage } from "../routes.ts";
import { useStrings } from "../strings/language.tsx";
import type { Strings } from "../strings/strings.ts";
import {
  BLANK,
  type Draft,
  isPhotoPage,
  isSentToTask,
  type Missing,
  missing,
  pictureBounds,
  requestOf,
  WORDING,
} from "../tasks/request.ts";
import { Button } from "./Button.tsx";
import styles from "./Composer.module.css";
import { Options } from "./ComposerOptions.tsx";
import { FileButton, PictureRow, Refusals, useDrop, usePaste } from "./ComposerPictures.tsx";
import { type UploadFile, usePictures } from "./use-pictures.ts";

export interface ComposerProps {
  readonly page: GenerationPage;
  /** What the server says of this type; null until it has. */
  readonly offer: GenerationTypeOffer | null;
  readonly upload: UploadFile;
  /** `photo` is one that is sent to the task, once that is there. */
  readonly onSubmit: (request: SubmitTask, photo: File | null) => void;
  /** Who shall do it; null for the one who does it by default. */
  readonly provider: string | null;
  readonly onProvider: (provider: string | null) => void;
  readonly prompt: string;
  readonly onPrompt: (prompt: string) => void;
}

/** Where a task is asked for: words, pictures, options. */
export function Composer(props: ComposerProps): ReactNode {
  const { page, offer, upload, onSubmit, prompt, onPrompt, provider, onProvider } = props;
  const strings = useStrings();
  const [filledIn, setFilledIn] = useState<Draft>(BLANK);
  const draft = { ...filledIn, prompt, provider };
  const [optionsOpen, setOptionsOpen] = useState(false);
  const [tried, setTried] = useState(false);
  const [fewest, most] = pictureBounds(page, offer);
  const pictures = usePictures(isSentToTask(page) ? null : upload, most);
  const dropping = useDrop(pictures.add);
  usePaste(pictures.add);
  const promptBox = useRef<HTMLTextAreaElement>(null);
  const id = useId();

  const lacking = missing(page, draft, pictures.all, fewest);
  const submit = () => {
    if (lacking !== null) {
      setTried(true);
      if (lacking === "prompt") promptBox.current?.focus();
      return;
    }
    const { rehearsedFailure } = strings.composer;
    const photo = pictures.all.find(({ state }) => state === "kept")?.file ?? null;
    onSubmit(requestOf(page, draft, pictures.all, offer, rehearsedFailure), photo);
    setTried(false);
    onPrompt("");
    pictures.clear();
    promptBox.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    }
  };
  const photo = isPhotoPage(page);
  const classes = [styles.composer, photo ? `${styles.photo} ${styles.small}` : styles.create];
  if (dropping) classes.push(styles.over);

  return (
    <form
      className={classes.join(" ")}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={onKeyDown}
      noValidate
    >
      {dropping && <div className={styles.dropping}>{strings.composer.dropNow}</div>}
      {photo && <PictureRow page={page} pictures={pictures.all} most={most} {...pictures} />}
      {WORDING[page].prompt !== "none" && (
        <>
          <label className="hidden-visually" htmlFor={`${id}-prompt`}>
            {WORDING[page].prompt === "optional"
              ? strings.composer.promptOptional
              : strings.composer.prompt}
          </label>
          <textarea
            ref={promptBox}
            id={`${id}-prompt`}
            className={styles.prompt}
            value={prompt}
            maxLength={16_000}
            placeholder={strings.composer.promptPlaceholder[page]}
            onChange={(event) => onPrompt(event.target.value)}
            aria-invalid={tried && lacking === "prompt"}
            aria-describedby={tried && lacking !== null ? `${id}-missing` : undefined}
          />
        </>
      )}
      {!photo && pictures.all.length > 0 && (
        <PictureRow page={page} pictures={pictures.all} most={most} {...pictures} />
      )}
      <Refusals
        pictures={pictures.all}
        tooMany={pictures.tooMany ? most : null}
        onAgain={pictures.again}
      />
      <div className={styles.footer}>
        {!photo && pictures.all.length < most && (
          <FileButton onFiles={pictures.add} multiple>
            {(choose) => (
              <Button look="quiet" icon={Paperclip} onClick={choose}>
                {strings.composer.addPicture}
              </Button>
            )}
          </FileButton>
        )}
        <Button
          look="quiet"
          icon={SlidersHorizontal}
          aria-expanded={optionsOpen}
          aria-controls={`${id}-options`}
          onClick={() => setOptionsOpen(!optionsOpen)}
        >
          {strings.composer.options}
        </Button>
        <div className={styles.send}>
          <span className={styles.shortcut} aria-hidden>
            {strings.composer.shortcut}
          </span>
          <Button
            type="submit"
            look="primary"
            icon={Sparkles}
            data-lacking={lacking ?? undefined}
            aria-keyshortcuts="Control+Enter"
          >
            {strings.composer.submit[page]}
          </Button>
        </div>
      </div>
      {tried && lacking !== null && (
        <p className={styles.missing} id={`${id}-missing`} role="alert">
          {missingText(lacking, strings)}
        </p>
      )}
      <div id={`${id}-options`} hidden={!optionsOpen} className={styles.options}>
        {optionsOpen && (
          <Options
            page={page}
            offer={offer}
            draft={draft}
            onChange={(changed) => {
              setFilledIn(changed);
              onProvider(changed.provider);
            }}
          />
        )}
      </div>
    </form>
  );
}

function missingText(lacking: Missing, words: Strings): string {
  const { needsPrompt, needsPicture, waitForUpload, uploadRefused, uploadUnanswered } =
    words.composer;
  const texts = {
    prompt: needsPrompt,
    picture: needsPicture,
    upload: waitForUpload,
    refused: uploadRefused,
    unanswered: uploadUnanswered,
  } satisfies Record<Missing, string>;
  return texts[lacking];
}
