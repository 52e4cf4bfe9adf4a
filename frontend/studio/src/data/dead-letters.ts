/** What could not be applied, for those who may see it. */

import { queryKeys } from "@darkroom/react";
import {
  type UseMutationResult,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { notedFetch } from "./reachability.ts";

export interface DeadLetter {
  readonly sequence: number;
  readonly task_id: string;
  readonly reason: string;
  readonly first_at: string;
  readonly tries: number;
  readonly waiting: number;
}

export interface DeadLetters {
  readonly dead_letters: readonly DeadLetter[];
  readonly events: number;
  readonly tasks: number;
}

export interface Retried {
  readonly applied: number;
  readonly parked: number;
}

const KEY = ["dead-letters"];
const SHOWN = 50;
const FORBIDDEN = 403;

/** Null for who is no admin, and while nothing is known. */
export function useDeadLetters(everyMs: number): DeadLetters | null {
  const { data } = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }): Promise<DeadLetters | null> => {
      const response = await notedFetch(`/dead-letters?limit=${SHOWN}`, { signal });
      if (response.status === FORBIDDEN) return null;
      return answered(response);
    },
    refetchInterval: ({ state }) => (state.data === null ? false : everyMs),
    retry: false,
  });
  return data ?? null;
}

/** Try one again, or with null all of them. */
export function useRetryDeadLetters(): UseMutationResult<Retried, Error, number | null> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (sequence: number | null) =>
      sequence === null ? retryAll() : post(`/dead-letters/${sequence}/retry`),
    onSettled: async () => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: KEY }),
        queries.invalidateQueries({ queryKey: queryKeys.tasks.all }),
      ]);
    },
  });
}

interface Mended extends Retried {
  readonly following: number | null;
}

/** A thousand tasks go at a time. */
async function retryAll(): Promise<Retried> {
  let applied = 0;
  let parked = 0;
  let after: number | null = 0;
  while (after !== null) {
    const done: Mended = await post("/dead-letters/retry", { all: true, after });
    applied += done.applied;
    parked += done.parked;
    after = done.following;
  }
  return { applied, parked };
}

async function post(path: string, body?: object): Promise<Mended> {
  const headers = { "Content-Type": "application/json" };
  const told = body === undefined ? {} : { headers, body: JSON.stringify(body) };
  return answered(await notedFetch(path, { method: "POST", ...told }));
}

async function answered<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  return (await response.json()) as Answer;
}
