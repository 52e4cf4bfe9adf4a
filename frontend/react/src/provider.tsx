import type { Client } from "@darkroom/client";
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useMemo } from "react";
import { type KnownTasks, knownTasks } from "./known-tasks.ts";
import { applyConnection, applyUpdate } from "./live-cache.ts";
import { LiveFeed } from "./live-feed.ts";

/** What the hooks share. */
export interface Darkroom {
  readonly client: Client;
  /** The one stream of this tab. */
  readonly feed: LiveFeed;
  readonly known: KnownTasks;
  /** Whether hooks use the stream when they don't say. */
  readonly live: boolean;
}

export interface DarkroomProviderProps {
  readonly client: Client;
  /** Use the event stream in every hook that can, instead of polling. Polls take over without it. */
  readonly live?: boolean;
  /**
   * Where the ids of tasks in progress are kept, so that their ends are not missed; by default
   * `localStorage`. `null` keeps them in memory.
   */
  readonly storage?: Storage | null;
  readonly children?: ReactNode;
}

const Context = createContext<Darkroom | null>(null);

/**
 * Gives a client to all hooks below it, within a `QueryClientProvider`.
 *
 * @example
 * <QueryClientProvider client={queryClient}>
 *   <DarkroomProvider client={createClient()} live>
 *     <App />
 *   </DarkroomProvider>
 * </QueryClientProvider>
 */
export function DarkroomProvider(props: DarkroomProviderProps): ReactNode {
  const { client, live = false, storage, children } = props;
  const queryClient = useQueryClient();
  const known = useMemo(
    () => knownTasks(storage === undefined ? ownStorage() : storage),
    [storage],
  );
  const feed = useMemo(
    () =>
      new LiveFeed(
        client,
        (update) => applyUpdate(queryClient, known, update),
        (connection) => applyConnection(queryClient, connection),
      ),
    [client, queryClient, known],
  );
  const darkroom = useMemo(() => ({ client, feed, known, live }), [client, feed, known, live]);
  return <Context.Provider value={darkroom}>{children}</Context.Provider>;
}

/**
 * What the nearest `DarkroomProvider` gives: the client, for calls that no hook makes.
 *
 * @example
 * const { client } = useDarkroom();
 * await client.patchMetadata(taskId, { favourite: true });
 */
export function useDarkroom(): Darkroom {
  const darkroom = useContext(Context);
  if (darkroom === null) throw new Error("This hook needs a <DarkroomProvider> above it.");
  return darkroom;
}

/** A browser may forbid it, and a server has none. */
function ownStorage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
