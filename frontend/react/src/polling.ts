import { isPassing } from "@darkroom/client";
import type { Query } from "@tanstack/react-query";
import type { FeedConnection } from "./live-feed.ts";

/** What a query was last answered. */
type Asked<Data> = Pick<Query<Data>["state"], "data" | "error" | "status">;

/**
 * When to ask next: while something is open, or when the last answer was a failure that may pass,
 * by the measure of a client that follows; never while the stream tells.
 */
export function nextPollMs<Data>(
  asked: Asked<Data>,
  isOpen: (data: Data) => boolean,
  everyMs: number,
  connection: FeedConnection = "off",
): number | false {
  if (asked.status === "error") return isPassing(asked.error) ? everyMs : false;
  if (connection === "live" || asked.data === undefined) return false;
  return isOpen(asked.data) ? everyMs : false;
}
