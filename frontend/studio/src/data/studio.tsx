/** What the pages share beside the hooks of `@darkroom/react`: the outbox, and whose session it is. */

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
import { type Photo, Photos, photoOf } from "./photos.ts";
import { useReachability } from "./reachability.ts";
import { beginSession, endSession, OWNER } from "./session.ts";

const KEY = "darkroom.outbox";
const AGAIN_MS = 3000;
const Context = createContext<Studio | null>(null);

interface Studio {
  readonly outbox: Outbox;
  readonly photos: Photos;
  readonly session: Session;
}

interface Session {
  begin(key: string): ReturnType<typeof beginSession>;
  end(): ReturnType<typeof endSession>;
}

export function StudioProvider({ children }: { children: ReactNode }): ReactNode {
  const { client, feed, known } = useDarkroom();
  const queryClient = useQueryClient();
  const reachability = useReachability();
  const [outbox, photos] = useMemo(() => {
    const onTold = async (task: Task) => {
      const detail = queryKeys.tasks.detail(task.task_id);
      const latest = newer(queryClient.getQueryData<Task>(detail), task);
      queryClient.setQueryData(detail, latest);
      // It may end before the next look: whoever looks then has to know that it was there.
      if (!isTerminal(latest)) known.add(task.type, [task.task_id]);
      // A look that began before knows nothing of it, and would be taken for the answer.
      const queryKey = queryKeys.tasks.recovery(task.type);
      await queryClient.cancelQueries({ queryKey });
      await queryClient.invalidateQueries({ queryKey });
    };
    const photos = new Photos(client, (task) =>
      task === null
        ? queryClient.invalidateQueries({ queryKey: queryKeys.tasks.all })
        : onTold(task),
    );
    const shelf = { read: () => recall(KEY), write: (text: string | null) => remember(KEY, text) };
    const outbox = new Outbox(client, shelf, async (task) => {
      void photos.sendKept(task);
      await onTold(task);
    });
    return [outbox, photos];
  }, [client, known, queryClient]);
  const belongings = useMemo(
    () => ({
      outbox,
      feed,
      async forget() {
        outbox.clear();
        photos.clear();
        known.clear();
        await queryClient.cancelQueries();
        queryClient.getMutationCache().clear();
        queryClient.removeQueries({ type: "inactive" });
        await queryClient.resetQueries();
      },
    }),
    [outbox, photos, feed, known, queryClient],
  );
  const studio = useMemo<Studio>(
    () => ({
      outbox,
      photos,
      session: {
        begin: (key) => beginSession(client, belongings, key),
        end: () => endSession(client, belongings),
      },
    }),
    [outbox, photos, client, belongings],
  );
  // The cookie is the whole browser's: another tab may have begun or ended a session.
  useEffect(() => {
    const onStorage = ({ key }: StorageEvent) => {
      if (key !== OWNER) return;
      feed.retry();
      outbox.close();
      void belongings.forget().finally(() => outbox.open());
    };
    addEventListener("storage", onStorage);
    return () => removeEventListener("storage", onStorage);
  }, [belongings, feed, outbox]);
  useEffect(() => {
    if (reachability !== "reachable") return;
    const resume = () => void outbox.resume();
    resume();
    const timer = setInterval(resume, AGAIN_MS);
    return () => clearInterval(timer);
  }, [outbox, reachability]);
  return <Context value={studio}>{children}</Context>;
}

function useStudio(): Studio {
  const studio = use(Context);
  if (studio === null) throw new Error("This needs a StudioProvider around it.");
  return studio;
}

export function useOutbox(): Outbox {
  return useStudio().outbox;
}

/** Photos that are on their way to their tasks. */
export function usePhotos(): Photos {
  return useStudio().photos;
}

/** The photo of a task, as far as this page has it. */
export function usePhoto(task: Task): Photo | null {
  const photos = usePhotos();
  return photoOf(useSyncExternalStore(photos.subscribe, photos.all), task);
}

/** To begin a session with a server that asks for a key, and to end it. */
export function useSession(): Session {
  return useStudio().session;
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
