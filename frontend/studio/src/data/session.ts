/** A session with a server that asks for a key: a cookie that no script can read. */

import { notedFetch } from "./reachability.ts";

/** Exchange the key for the cookie. The key itself is kept nowhere. */
export async function beginSession(key: string): Promise<"taken" | "refused" | "unanswered"> {
  try {
    const response = await notedFetch("/session", {
      method: "POST",
      headers: { Authorization: `Bearer ${key}` },
    });
    return response.ok ? "taken" : "refused";
  } catch {
    return "unanswered";
  }
}
