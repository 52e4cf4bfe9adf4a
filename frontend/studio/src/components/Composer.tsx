import type { GenerationTypeOffer, SubmitTask } from "@darkroom/client";
import { ImagePlus, Paperclip, RotateCw, SlidersHorizontal, Sparkles, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import type { GenerationPage } from "../routes.ts";
import { useStrings } from "../strings/language.tsx";
import type { Rehearsal, Shape, Strings } from "../strings/strings.ts";
import { problemText } from "../tasks/failure.ts";
import {
  BLANK,
  type Draft,
  isPhotoPage,
  type Missing,
  missing,
  parametersOf,
  pictureBounds,
  requestOf,
  slotOf,
  WORDING,
} from "../tasks/request.ts";
import { Button } from "./Button.tsx";
import styles from "./Composer.module.css";
import { Choice, SelectField, TextField } from "./Field.tsx";
import { Notice } from "./Notice.tsx";
import { ProgressBar } from "./ProgressBar.tsx";
import { type AddedPicture, type UploadFile, usePictures } from "./use-pictures.ts";

export interface ComposerProps {
  readonly page: GenerationPage;
  /** What the server says of this type; null until it has. */
  readonly offer: GenerationTypeOffer | null;
  readonly upload: UploadFile;
  readonly onSubmit: (request: SubmitTask) => void;
  readonly prompt: string;
  readonly onPrompt: (prompt: string) => void;
}

/** Where a task is asked for: words, pictures, options. */
export function Composer(props: ComposerProps): ReactNode {
  const { page, offer, upload, onSubmit, prompt, onPrompt } = props;
  const strings = useStrings();
  const [draft, setDraft] = useState<Draft>(BLANK);
  const [optionsOpen, setOptionsOpen] = useState(false);
  const [tried, setTried] = useState(false);
  const [fewest, most] = pictureBounds(page, offer);
  const pictures = usePictures(upload, most);
  const dropping = useDrop(pictures.add);
  usePaste(pictures.add);
  const promptBox = useRef<HTMLTextAreaElement>(null);
  const id = useId();

  const lacking = missing(page, { ...draft, prompt }, pictures.all, fewest);
  const submit = () => {
    if (lacking !== null) {
      setTried(true);
      if (lacking === "prompt") promptBox.current?.focus();
      return;
    }
    const { rehearsedFailure } = strings.composer;
    onSubmit(requestOf(page, { ...draft, prompt }, pictures.all, offer, rehearsedFailure));
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
        {optionsOpen && <Options offer={offer} draft={draft} onChange={setDraft} />}
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

function PictureRow({
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

function Refusals({
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

function Options({
  offer,
  draft,
  onChange,
}: {
  offer: GenerationTypeOffer | null;
  draft: Draft;
  onChange: (draft: Draft) => void;
}): ReactNode {
  const { composer } = useStrings();
  const takes = parametersOf(offer, draft.provider);
  const providers = offer?.providers ?? [];
  return (
    <>
      {takes.has("width") && takes.has("height") && (
        <Choice<Shape>
          label={composer.shape}
          value={draft.shape ?? "landscape"}
          options={[
            ["landscape", composer.shapes.landscape],
            ["square", composer.shapes.square],
            ["portrait", composer.shapes.portrait],
          ]}
          onChoose={(shape) => onChange({ ...draft, shape })}
        />
      )}
      <SelectField
        label={composer.provider}
        value={draft.provider ?? ""}
        options={[
          ["", composer.providerDefault(offer?.default_provider ?? "")],
          ...providers
            .filter(({ name }) => name !== offer?.default_provider)
            .map(
              ({ name, healthy }) =>
                [name, healthy ? name : composer.providerResting(name)] as const,
            ),
        ]}
        onChoose={(provider) => onChange({ ...draft, provider: provider === "" ? null : provider })}
      />
      {takes.has("seed") && (
        <TextField
          label={composer.seed}
          hint={composer.seedHint}
          inputMode="numeric"
          pattern="\d*"
          maxLength={15}
          value={draft.seed}
          onChange={(event) => onChange({ ...draft, seed: event.target.value.replace(/\D/g, "") })}
        />
      )}
      {takes.has("simulate") && (
        <SelectField<Rehearsal>
          label={composer.rehearsal}
          hint={composer.rehearsalHint}
          value={draft.rehearsal}
          options={(["none", "slow", "flaky", "fail", "crash", "hang"] as const).map(
            (each) => [each, composer.rehearsals[each]] as const,
          )}
          onChoose={(rehearsal) => onChange({ ...draft, rehearsal })}
        />
      )}
    </>
  );
}

function FileButton({
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
function useDrop(onFiles: (files: readonly File[]) => void): boolean {
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
function usePaste(onFiles: (files: readonly File[]) => void): void {
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
