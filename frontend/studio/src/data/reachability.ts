/** Whether the browser is online and the server answers; known from every request that is made. */

import { useEffect, useSyncExternalStore } from "react";

export type Reachability = "reachable" | "unreachable" | "offline";

const AGAIN_MS = 2000;
let answered = true;
const listeners = new Set<() => void>();

function told(answer: boolean): void {
  if (answer === answered) return;
  answered = answer;
  for (const listener of listeners) listener();
}

/** `fetch`, which also notes whether there was an answer. A gateway's 502–504 is none. */
export const notedFetch: typeof fetch = async (input, init) => {
  try {
    const response = await fetch(input, init);
    told(response.status < 502 || response.status > 504 || isProblem(response));
    return response;
  } catch (error) {
    if (!init?.signal?.aborted) told(false);
    throw error;
  }
};

/** Ask the server for nothing but an answer. */
export async function serverAnswers(): Promise<boolean> {
  try {
    return (await notedFetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** A problem is Darkroom's own answer; anything else of such a status is a proxy's. */
function isProblem(response: Response): boolean {
  return response.headers.get("Content-Type")?.startsWith("application/problem+json") ?? false;
}

function now(): Reachability {
  if (!navigator.onLine) return "offline";
  return answered ? "reachable" : "unreachable";
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

/** How it stands; while there is no answer it is asked for again and again. */
export function useReachability(): Reachability {
  const reachability = useSyncExternalStore(subscribe, now);
  useEffect(() => {
    if (reachability !== "unreachable") return;
    const timer = setInterval(() => void serverAnswers(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [reachability]);
  return reachability;
}
