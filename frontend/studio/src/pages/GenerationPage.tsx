import { type GenerationTypeOffer, newKey, type SubmitTask } from "@darkroom/client";
import { useCancelTask, useRetryTask, useTaskHistory, useTaskRecovery } from "@darkroom/react";
import { CloudOff, Images } from "lucide-react";
import { memo, type ReactNode, useCallback, useMemo, useState } from "react";
import { useAnnounce } from "../components/Announcer.tsx";
import { Button } from "../components/Button.tsx";
import { Composer } from "../components/Composer.tsx";
import { EmptyState } from "../components/EmptyState.tsx";
import { Notice } from "../components/Notice.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { PainterNote } from "../components/PainterNote.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import { CardGrid, TaskCard } from "../components/TaskCard.tsx";
import { UnsentCard } from "../components/UnsentCard.tsx";
import { useNow } from "../data/clock.ts";
import { withoutTask } from "../data/outbox.ts";
import { useReasons } from "../data/reasons.ts";
import { useClient, useOutbox, usePhoto, usePhotos, useUnsent } from "../data/studio.tsx";
import { endedBetween, useVisit } from "../data/visits.ts";
import { Link } from "../navigation.tsx";
import { PATHS, type GenerationPage as Page, TYPES } from "../routes.ts";
import { kindOf } from "../strings/kinds.ts";
import { useStrings } from "../strings/language.tsx";
import { problemOf, problemText } from "../tasks/failure.ts";
import type { Reason } from "../tasks/notes.ts";
import { merge, nameOf, type Task } from "../tasks/task.ts";
import styles from "./GenerationPage.module.css";

/** How many of the ended tasks are shown beside those that go on. */
const RECENT = 12;

/** A page on which tasks of one type are asked for, and watched until their end. */
export function GenerationPage({
  page,
  offer,
  onOpen,
}: {
  page: Page;
  offer: GenerationTypeOffer | null;
  onOpen: (task: Task) => void;
}): ReactNode {
  const strings = useStrings();
  const client = useClient();
  const outbox = useOutbox();
  const announce = useAnnounce();
  const photos = usePhotos();
  const [prompt, setPrompt] = useState("");
  const [provider, setProvider] = useState<string | null>(null);
  const upload = client.upload;

  const submit = useCallback(
    (request: SubmitTask, photo: File | null) => {
      const name = nameOf({ prompt: request.prompt ?? null }, kindOf(request.type, strings));
      announce(strings.tasks.announceSubmitted(name));
      const key = newKey();
      if (photo !== null) photos.keep(key, photo);
      void outbox.submit(request, key, new Date().toISOString());
    },
    [announce, outbox, photos, strings],
  );

  const unserved = offer !== null && !offer.providers.some(({ healthy }) => healthy);
  if (offer?.providers.length === 0) {
    return (
      <>
        <PageHeader page={page} />
        <Notice tone="warn" icon={CloudOff} title={strings.composer.notOffered}>
          {strings.composer.notOfferedHint}
        </Notice>
        <Tasks page={page} onOpen={onOpen} onPrompt={setPrompt} />
      </>
    );
  }
  return (
    <>
      <PageHeader page={page} />
      <div className={styles.ask}>
        {unserved && (
          <Notice tone="warn" icon={CloudOff} title={strings.composer.unavailable}>
            {strings.composer.unavailableHint}
          </Notice>
        )}
        <Composer
          page={page}
          offer={offer}
          upload={upload}
          onSubmit={submit}
          prompt={prompt}
          onPrompt={setPrompt}
          provider={provider}
          onProvider={setProvider}
        />
        {(provider ?? offer?.default_provider) === "STUDIO" && <PainterNote />}
      </div>
      <Tasks page={page} onOpen={onOpen} onPrompt={setPrompt} />
    </>
  );
}

function Tasks({
  page,
  onOpen,
  onPrompt,
}: {
  page: Page;
  onOpen: (task: Task) => void;
  onPrompt: (prompt: string) => void;
}): ReactNode {
  const strings = useStrings();
  const now = useNow();
  const type = TYPES[page];
  const visit = useVisit(type);
  const announce = useAnnounce();
  const outbox = useOutbox();
  const unsent = useUnsent(type);
  const name = (task: Task) => nameOf(task, kindOf(task.type, strings));
  const recovery = useTaskRecovery(type, {
    onCompleted: (task) => announce(strings.tasks.announceCompleted(name(task))),
    onFailed: (task) => announce(strings.tasks.announceFailed(name(task))),
  });
  const history = useTaskHistory(RECENT_OF[page]);
  const tasks = useMemo(
    () =>
      merge(
        (history.data ?? []).slice(0, RECENT),
        unsent.flatMap(({ task }) => (task === null ? [] : [task])),
        recovery.tasks,
        recovery.ended,
      ),
    [history.data, unsent, recovery.tasks, recovery.ended],
  );
  const reasons = useReasons(type, tasks);
  const photos = usePhotos();
  const sending = withoutTask(unsent, tasks).filter(({ state }) => state !== "sent");
  const unknown = recovery.error !== null && tasks.length === 0;
  const loading = (recovery.isLoading || history.isLoading) && tasks.length === 0;

  return (
    <section className={styles.tasks} aria-busy={loading}>
      <div className={styles.head}>
        <h2 className={styles.heading}>{strings.tasks.heading}</h2>
        {tasks.length >= RECENT && (
          <Link to={`${PATHS.history}?type=${type}`}>{strings.tasks.older}</Link>
        )}
      </div>
      {unknown && !loading && (
        <Notice tone="warn" title={problemText(problemOf(recovery.error), strings)} live />
      )}
      {loading ? (
        <CardGrid label={strings.tasks.loading}>
          {["a", "b", "c"].map((each) => (
            <Skeleton key={each} className={styles.skeleton} />
          ))}
        </CardGrid>
      ) : tasks.length + sending.length === 0 ? (
        !unknown && (
          <EmptyState
            icon={Images}
            title={strings.tasks.empty[page]}
            actions={page === "create" && <Inspirations onPrompt={onPrompt} />}
          />
        )
      ) : (
        <CardGrid label={strings.tasks.heading}>
          {sending.map(({ key, request, state, problem }) => (
            <UnsentCard
              key={key}
              request={request}
              state={state === "sent" ? "sending" : state}
              problem={problem}
              onResend={() => void outbox.resend(key)}
              onDiscard={() => {
                photos.drop(key);
                outbox.discard(key);
              }}
            />
          ))}
          {tasks.map((task) => (
            <WatchedCard
              key={task.task_id}
              task={task}
              now={now}
              fresh={endedBetween(task, visit)}
              reason={reasons.get(task.task_id) ?? null}
              onOpen={onOpen}
            />
          ))}
        </CardGrid>
      )}
    </section>
  );
}

const RECENT_OF: Record<Page, { type: string; limit: number }> = {
  create: { type: TYPES.create, limit: RECENT },
  image: { type: TYPES.image, limit: RECENT },
  "white-background": { type: TYPES["white-background"], limit: RECENT },
  "clothing-change": { type: TYPES["clothing-change"], limit: RECENT },
  "photo-to-3d": { type: TYPES["photo-to-3d"], limit: RECENT },
  video: { type: TYPES.video, limit: RECENT },
};

interface WatchedCardProps {
  readonly task: Task;
  readonly now: number;
  readonly fresh: boolean;
  readonly reason: Reason | null;
  readonly onOpen: (task: Task) => void;
}

/** Drawn again when its own task has changed, not with each of the others. */
const WatchedCard = memo(function WatchedCard(props: WatchedCardProps) {
  const { task, now, fresh, reason, onOpen } = props;
  const strings = useStrings();
  const cancel = useCancelTask();
  const retry = useRetryTask();
  const photos = usePhotos();
  const photo = usePhoto(task);
  const { task_id } = task;
  const { error: refused } = retry.submittedAt > cancel.submittedAt ? retry : cancel;
  return (
    <TaskCard
      task={task}
      now={now}
      fresh={fresh}
      reason={reason}
      photo={{
        photo,
        onChoose: (file) => void photos.send(task_id, file),
        onAgain: () => void photos.again(task_id),
      }}
      onOpen={() => onOpen(task)}
      busy={cancel.isPending || retry.isPending || retry.isSuccess}
      problem={refused === null ? null : problemText(problemOf(refused), strings)}
      onCancel={() => {
        photos.drop(task_id);
        cancel.mutate(task_id);
      }}
      onRetry={() => retry.mutate(task_id)}
    />
  );
});

function Inspirations({ onPrompt }: { onPrompt: (prompt: string) => void }): ReactNode {
  const { composer } = useStrings();
  return (
    <div className={styles.inspirations}>
      <span>{composer.inspirations}</span>
      {composer.inspiration.map((prompt) => (
        <Button key={prompt} onClick={() => onPrompt(prompt)}>
          {prompt}
        </Button>
      ))}
    </div>
  );
}
