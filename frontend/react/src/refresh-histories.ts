import type { QueryClient } from "@tanstack/react-query";
import { queryKeys } from "./keys.ts";

const EVERY_MS = 1000;
const HISTORIES = { queryKey: queryKeys.tasks.histories };
/** Where histories were asked for within the last second, and whether that is wanted again. */
const gathering = new WeakMap<QueryClient, { isWanted: boolean }>();

/**
 * Ask for every history anew: at once, but once a second at most, however many tasks end in it.
 * What is being asked already is let finish; else a list of many pages would never be there.
 */
export function refreshHistories(queryClient: QueryClient): void {
  const running = gathering.get(queryClient);
  if (running !== undefined) {
    running.isWanted = true;
    return;
  }
  const begun = { isWanted: true };
  gathering.set(queryClient, begun);
  turn();

  function turn(): void {
    if (!begun.isWanted) {
      gathering.delete(queryClient);
      return;
    }
    // What is being answered may be from before the last end: that needs another one after it.
    if (queryClient.isFetching(HISTORIES) === 0) {
      begun.isWanted = false;
      void queryClient.invalidateQueries(HISTORIES, { cancelRefetch: false });
    }
    setTimeout(turn, EVERY_MS);
  }
}
