import { useEffect, useState } from "react";

/** The present in milliseconds, moved on every `everyMs`. */
export function useNow(everyMs = 5000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Does it again and again while the component is there. */
export function useRepeated(act: () => unknown, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(act, everyMs);
    return () => clearInterval(timer);
  }, [act, everyMs]);
}
