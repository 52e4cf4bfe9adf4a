/** How the whole is doing, for those who may see it. */

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { System } from "../tasks/system.ts";
import { notedFetch } from "./reachability.ts";

const KEPT = 40;
const FORBIDDEN = 403;

/** What was read since the page was opened, the latest last; nothing for who is no admin. */
export function useSystem(everyMs: number): readonly System[] {
  const [readings, setReadings] = useState<readonly System[]>([]);
  const { data } = useQuery({
    queryKey: ["system"],
    queryFn: async ({ signal }): Promise<System | null> => {
      const response = await notedFetch("/system", { signal });
      if (response.status === FORBIDDEN) return null;
      if (!response.ok) throw new Error(`/system answered ${response.status}`);
      return (await response.json()) as System;
    },
    refetchInterval: ({ state }) => (state.data === null ? false : everyMs),
    retry: false,
    structuralSharing: false,
  });
  useEffect(() => {
    if (data !== undefined) {
      setReadings((before) => (data === null ? [] : [...before, data].slice(-KEPT)));
    }
  }, [data]);
  return readings;
}
