import { useDarkroom, useGenerationTypes, useRetryTask, useTask } from "@darkroom/react";
import { useQuery } from "@tanstack/react-query";
import { FileQuestion } from "lucide-react";
import { type ReactNode, Suspense, useCallback, useEffect, useRef } from "react";
import { Announcer } from "./components/Announcer.tsx";
import { ConnectionBanner } from "./components/ConnectionBanner.tsx";
import { Crash } from "./components/Crash.tsx";
import { EmptyState } from "./components/EmptyState.tsx";
import { KeyForm } from "./components/KeyForm.tsx";
import { Shell } from "./components/Shell.tsx";
import { useRepeated } from "./data/clock.ts";
import { useReachability } from "./data/reachability.ts";
import { hasSession } from "./data/session.ts";
import { useSession } from "./data/studio.tsx";
import { later } from "./later.ts";
import { Link, navigate, useAddress } from "./navigation.tsx";
import { GenerationPage } from "./pages/GenerationPage.tsx";
import { isGenerationPage, PATHS, type PageName, pageAt, TYPES, WHERE_OFFERED } from "./routes.ts";
import { useStrings } from "./strings/language.tsx";
import { problemOf, problemText } from "./tasks/failure.ts";
import type { Task } from "./tasks/task.ts";

// What the first look does not need comes when it is asked for.
const HistoryPage = later(async () => (await import("./pages/HistoryPage.tsx")).HistoryPage);
const OperationsPage = later(
  async () => (await import("./pages/OperationsPage.tsx")).OperationsPage,
);
const Viewer = later(async () => (await import("./components/Viewer.tsx")).Viewer);

/** Providers come and go under an open page. */
const OFFERS_EVERY_MS = 30_000;

/** The page: which one, in which frame, and the task that is looked at. */
export function App(): ReactNode {
  const strings = useStrings();
  const address = useAddress();
  const page = pageAt(address.pathname);
  const main = useRef<HTMLElement>(null);
  const reachability = useReachability();
  const session = useSession();
  const { data: offers, error, refetch } = useGenerationTypes();
  useRepeated(refetch, OFFERS_EVERY_MS);

  const offered = (name: PageName) =>
    !isGenerationPage(name) ||
    offers?.some(({ type, providers }) => type === TYPES[name] && providers.length > 0);
  const pages = (Object.keys(PATHS) as PageName[]).filter(
    (name) => !WHERE_OFFERED.includes(name) || offered(name) || name === page,
  );

  useEffect(() => {
    document.title =
      page === null ? strings.app.name : `${strings.pages[page].nav} · ${strings.app.name}`;
  }, [page, strings]);
  useFocusOnChange(address.pathname, main);

  const open = useCallback((task: Task) => {
    const to = new URL(location.href);
    to.searchParams.set("task", task.task_id);
    navigate(`${to.pathname}${to.search}`);
  }, []);
  const looked = address.searchParams.get("task");
  const close = () => {
    const to = new URL(address);
    to.searchParams.delete("task");
    navigate(`${to.pathname}${to.search}`, { replace: true });
  };

  if (error !== null && "code" in error && error.code === "unauthorized") {
    const onKey = async (key: string) => {
      const answer = await session.begin(key);
      if (answer === "taken") await refetch();
      return answer;
    };
    return (
      <Shell pages={[]} current={null}>
        <KeyForm onKey={onKey} />
      </Shell>
    );
  }

  return (
    <Announcer>
      <Shell
        pages={pages}
        current={page}
        main={main}
        onSignOut={hasSession() ? session.end : undefined}
      >
        <Crash key={page}>
          <Suspense fallback={<Loading />}>
            {page === null ? (
              <NoSuchPage />
            ) : isGenerationPage(page) ? (
              <GenerationPage
                key={page}
                page={page}
                offer={offers?.find(({ type }) => type === TYPES[page]) ?? null}
                onOpen={open}
              />
            ) : page === "history" ? (
              <HistoryPage onOpen={open} />
            ) : (
              <OperationsPage onOpen={open} />
            )}
          </Suspense>
        </Crash>
      </Shell>
      <Suspense fallback={null}>
        {looked !== null && <LookedAt key={looked} taskId={looked} onClose={close} onOpen={open} />}
      </Suspense>
      <ConnectionBanner reachability={reachability} />
    </Announcer>
  );
}

function Loading(): ReactNode {
  const { app } = useStrings();
  return (
    <p className="hidden-visually" role="status">
      {app.loading}
    </p>
  );
}

function NoSuchPage(): ReactNode {
  const { app } = useStrings();
  return (
    <EmptyState
      icon={FileQuestion}
      title={app.pageMissing}
      wholePage
      actions={<Link to={PATHS.create}>{app.toCreate}</Link>}
    >
      {app.pageMissingHint}
    </EmptyState>
  );
}

function LookedAt({
  taskId,
  onClose,
  onOpen,
}: {
  taskId: string;
  onClose: () => void;
  onOpen: (task: Task) => void;
}): ReactNode {
  const { client } = useDarkroom();
  const strings = useStrings();
  const { data: task, error } = useTask(taskId);
  const retry = useRetryTask();
  const again = () => retry.mutate(taskId, { onSuccess: onOpen });
  const events = useQuery({
    queryKey: ["task-events", taskId, task?.sequence ?? 0],
    queryFn: ({ signal }) => client.events(taskId, { signal }),
    enabled: task !== undefined,
    placeholderData: (before) => before,
    retry: false,
  });
  return (
    <Viewer
      task={task ?? null}
      problem={error === null ? null : problemText(problemOf(error), strings)}
      refused={retry.error === null ? null : problemText(problemOf(retry.error), strings)}
      events={events.data ?? null}
      eventsFailed={events.isError}
      onClose={onClose}
      onRetry={retry.isIdle || retry.isError ? again : undefined}
    />
  );
}

/** A new page begins at its top, also for those who don't see it; the first one as browsers do. */
function useFocusOnChange(path: string, main: { current: HTMLElement | null }): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    main.current?.focus({ preventScroll: true });
  }, [path, main]);
}
