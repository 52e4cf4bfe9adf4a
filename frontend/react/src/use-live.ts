import { useEffect, useSyncExternalStore } from "react";
import type { FeedConnection } from "./live-feed.ts";
import { useDarkroom } from "./provider.tsx";

/**
 * Keeps the tab's one event stream open while the component is there, and tells how news come:
 * `"live"`, or `"offline"` while the hooks poll instead.
 *
 * @example
 * const connection = useConnection();
 * return connection === "offline" ? <p role="status">Reconnecting …</p> : null;
 */
export function useConnection(): FeedConnection {
  return useLive(true);
}

/** The same where wanted, else `"off"`; by default as the provider says. */
export function useLive(wanted: boolean | undefined): FeedConnection {
  const { feed, live } = useDarkroom();
  const held = wanted ?? live;
  useEffect(() => (held ? feed.hold() : undefined), [feed, held]);
  const connection = useSyncExternalStore(feed.subscribe, feed.connection, isOff);
  return held ? connection : "off";
}

function isOff(): FeedConnection {
  return "off";
}
