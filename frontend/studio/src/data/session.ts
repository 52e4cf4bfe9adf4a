/** A session with a server that asks for a key: a cookie that no script can read. */

import { type Client, ProblemError } from "@darkroom/client";
import { recall, remember } from "../storage.ts";

/** Where it stands whose session it is. It outlives the session: what is kept here is theirs. */
export const OWNER = "darkroom.owner";

/** Whether a session was begun here, so that it can be ended. */
export function hasSession(): boolean {
  return recall(OWNER) !== null;
}

/** What has to know who asks. */
export interface Belongings {
  readonly outbox: { close(): void; open(): void };
  readonly feed: { retry(): void };
  /** Forget everything that is somebody's: what was asked for, what was told, what is unsent. */
  forget(): Promise<void>;
}

/**
 * Exchange the key for the cookie. The key itself is kept nowhere. What another owner left here is
 * forgotten before anything is sent with it.
 */
export async function beginSession(
  client: Pick<Client, "beginSession">,
  belongings: Belongings,
  key: string,
): Promise<"taken" | "refused" | "unanswered"> {
  belongings.outbox.close();
  try {
    const { owner } = await client.beginSession(key);
    const isAnother = recall(OWNER) !== owner;
    remember(OWNER, owner);
    belongings.feed.retry();
    if (isAnother) await belongings.forget();
    return "taken";
  } catch (error) {
    return error instanceof ProblemError && error.status < 500 ? "refused" : "unanswered";
  } finally {
    belongings.outbox.open();
  }
}

/** Give the cookie back, and forget whose it was; false when the server could not be told. */
export async function endSession(
  client: Pick<Client, "endSession">,
  belongings: Belongings,
): Promise<boolean> {
  belongings.outbox.close();
  try {
    await client.endSession();
    remember(OWNER, null);
    belongings.feed.retry();
    await belongings.forget();
    return true;
  } catch {
    return false;
  } finally {
    belongings.outbox.open();
  }
}
