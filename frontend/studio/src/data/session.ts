/** A session with a server that asks for a key: a cookie that no script can read. */

import { type Client, ProblemError } from "@darkroom/client";

/** Exchange the key for the cookie. The key itself is kept nowhere. */
export async function beginSession(
  client: Pick<Client, "beginSession">,
  key: string,
): Promise<"taken" | "refused" | "unanswered"> {
  try {
    await client.beginSession(key);
    return "taken";
  } catch (error) {
    return error instanceof ProblemError && error.status < 500 ? "refused" : "unanswered";
  }
}
