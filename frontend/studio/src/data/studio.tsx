/** What the pages share beside the hooks of `@darkroom/react`: the outbox. */

import { type Client, isTerminal, newer, type Task } from "@darkroom/client";
import { queryKeys, useDarkroom } from "@darkroom/react";
import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  use,
  useEffect,
  useMemo,
  useSyncExternalStore,
} from "react";
import { recall, remember } from "../storage.ts";
import { type Entry, Outbox } from "./outbox.ts";
import { useReachability } from "./reachability.ts";

const KEY = "darkroom.outbox";
const AGAIN_MS = 3000;
const Context = createContext<Outbox | null>(null);

export function StudioProvider({ children }: { children: ReactNode }): ReactNode {
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  const reachability = useReachability();
  const outbox = useMemo(
    () =>
      new Outbox(
        client,
        { read: () => recall(KEY), write: (text) => remember(KEY, text) },
        async (task) => {
          const detail = queryKeys.tasks.detail(task.task_id);
          const latest = newer(queryClient.getQueryData<Task>(detail), task);
          queryClient.setQueryData(detail, latest);
          // It may end before the next look: whoever looks then has to know that it was there.
          if (!isTerminal(latest)) known.add(task.type, [task.task_id]);
          // A look that began before knows nothing of it, and would be taken for the answer.
          const queryKey = queryKeys.tasks.recovery(task.type);
          await queryClient.cancelQueries({ queryKey });
          await queryClient.invalidateQueries({ queryKey });
        },
      ),
    [client, known, queryClient],
  );
  useEffect(() => {
    if (reachability !== "reachable") return;
    const resume = () => void outbox.resume();
    resume();
    const timer = setInterval(resume, AGAIN_MS);
    return () => clearInterval(timer);
  }, [outbox, reachability]);
  return <Context value={outbox}>{children}</Context>;
}

export function useOutbox(): Outbox {
  const outbox = use(Context);
  if (outbox === null) throw new Error("useOutbox needs a StudioProvider around it.");
  return outbox;
}

/** What was submitted of a type and has no answer yet, newest first. */
export function useUnsent(type: string): readonly Entry[] {
  const outbox = useOutbox();
  const entries = useSyncExternalStore(outbox.subscribe, outbox.entries);
  return useMemo(
    () => entries.filter(({ request }) => request.type === type).reverse(),
    [entries, type],
  );
}

/** The client, for calls that no hook makes. */
export function useClient(): Client {
  return useDarkroom().client;
}
