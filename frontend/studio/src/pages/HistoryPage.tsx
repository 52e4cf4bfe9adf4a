import { History as HistoryIcon, RotateCw, SearchX } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useRef } from "react";
import { Button } from "../components/Button.tsx";
import { EmptyState } from "../components/EmptyState.tsx";
import { HistoryFilters } from "../components/HistoryFilters.tsx";
import { HistoryTile, TileGrid, TileSkeletons } from "../components/HistoryTile.tsx";
import { Notice } from "../components/Notice.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { useNow } from "../data/clock.ts";
import { useFreshHistory } from "../data/history.ts";
import { navigate, useAddress } from "../navigation.tsx";
import { PATHS } from "../routes.ts";
import { useSpoken } from "../strings/language.tsx";
import { EVERYTHING, matches, readQuery, writeQuery } from "../tasks/history.ts";
import type { Task } from "../tasks/task.ts";
import styles from "./HistoryPage.module.css";

const PAGE = 48;
/** A search looks on by itself through so many; further back only when asked. */
const SEARCHED = 480;

/** Everything that was asked for, newest first. */
export function HistoryPage({ onOpen }: { onOpen: (task: Task) => void }): ReactNode {
  const { strings, language } = useSpoken();
  const { history } = strings;
  const query = readQuery(useAddress().searchParams);
  const now = useNow(15_000);
  const filter = useMemo(
    () => ({
      limit: PAGE,
      ...(query.type !== null && { type: query.type }),
      ...(query.status !== null && { status: query.status }),
    }),
    [query.type, query.status],
  );
  const { pages, tasks: loaded } = useFreshHistory(filter);
  const shown = loaded.filter((task) => matches(task, query.search, language));
  const searching = query.search.trim() !== "";
  const paused = searching && loaded.length >= SEARCHED;
  const filtered = searching || query.type !== null || query.status !== null;
  const sentinel = useWhenSeen(
    pages.hasNextPage && !pages.isFetching && !pages.isError && !paused,
    () => void pages.fetchNextPage(),
  );

  return (
    <>
      <PageHeader page="history" />
      <HistoryFilters
        query={query}
        onChange={(next) => navigate(`${PATHS.history}${writeQuery(next)}`, { replace: true })}
      />
      <p className="hidden-visually" role="status">
        {pages.isLoading ? "" : history.count(shown.length)}
      </p>
      {pages.isError && (
        <Notice
          tone="bad"
          title={history.failed}
          live
          actions={
            <Button icon={RotateCw} onClick={() => void pages.refetch()}>
              {history.tryAgain}
            </Button>
          }
        />
      )}
      {pages.isLoading && <TileSkeletons />}
      {!pages.isLoading && !pages.hasNextPage && !pages.isError && shown.length === 0 && (
        <EmptyState
          icon={filtered ? SearchX : HistoryIcon}
          title={filtered ? history.nothingFound : history.empty}
          actions={
            filtered && (
              <Button
                onClick={() =>
                  navigate(`${PATHS.history}${writeQuery(EVERYTHING)}`, { replace: true })
                }
              >
                {history.clear}
              </Button>
            )
          }
        >
          {filtered ? history.nothingFoundHint : history.emptyHint}
        </EmptyState>
      )}
      {shown.length > 0 && (
        <TileGrid label={history.count(shown.length)}>
          {shown.map((task) => (
            <li key={task.task_id}>
              <HistoryTile task={task} now={now} onOpen={() => onOpen(task)} />
            </li>
          ))}
        </TileGrid>
      )}
      <div className={styles.more} ref={sentinel}>
        {searching && pages.hasNextPage && <p>{history.searched(loaded.length)}</p>}
        {pages.hasNextPage ? (
          <Button onClick={() => void pages.fetchNextPage()} disabled={pages.isFetchingNextPage}>
            {paused ? history.searchFurther : history.more}
          </Button>
        ) : (
          shown.length > 0 && <p>{history.end}</p>
        )}
      </div>
    </>
  );
}

/** Calls `act` whenever the element comes into sight while `wanted`. */
function useWhenSeen(wanted: boolean, act: () => void) {
  const element = useRef<HTMLDivElement>(null);
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const target = element.current;
    if (!wanted || target === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && latest.current(),
      { rootMargin: "600px" },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [wanted]);
  return element;
}
