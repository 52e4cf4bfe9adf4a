/** The way to the gateway that serves this page. */

import { type Client, createClient } from "@darkroom/client";
import { notedFetch } from "./reachability.ts";

export function pageClient(): Client {
  return createClient({ fetch: notedFetch, retries: 1 });
}
