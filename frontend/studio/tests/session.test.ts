import { NetworkError, ProblemError, type Session } from "@darkroom/client";
import { beforeEach, describe, expect, test } from "vitest";
import { type Belongings, beginSession, endSession, hasSession } from "../src/data/session.ts";

const SESSION: Session = { owner: "ann", expires_at: "2026-11-28T10:00:00Z" };
const refusal = (code: "unauthorized" | "log_unreachable", status: 401 | 503) =>
  new ProblemError({ code, status, title: "No", detail: "No." });

beforeEach(() => localStorage.clear());

/** What has to know, and what it was told. */
function told() {
  const steps: string[] = [];
  const belongings: Belongings = {
    outbox: { close: () => steps.push("close"), open: () => steps.push("open") },
    feed: { retry: () => steps.push("retry") },
    forget: async () => void steps.push("forget"),
  };
  const begin = (answer: () => Promise<Session>) =>
    beginSession({ beginSession: answer }, belongings, "a key");
  const signIn = (owner: string) => begin(async () => ({ ...SESSION, owner }));
  const signOut = (answer: () => Promise<void> = async () => undefined) =>
    endSession({ endSession: answer }, belongings);
  return { begin, signIn, signOut, taken: () => steps.splice(0) };
}

describe("a session", () => {
  test("a key is taken, refused, or nobody answered: each is told apart", async () => {
    const { begin } = told();
    expect(await begin(async () => SESSION)).toBe("taken");
    expect(await begin(() => Promise.reject(refusal("unauthorized", 401)))).toBe("refused");
    expect(await begin(() => Promise.reject(refusal("log_unreachable", 503)))).toBe("unanswered");
    expect(await begin(() => Promise.reject(new NetworkError("cut")))).toBe("unanswered");
  });

  test("of another owner begins with nothing of the one before, before anything is sent", async () => {
    const { signIn, taken } = told();
    await signIn("ann");
    taken();

    await signIn("ben");

    expect(taken()).toEqual(["close", "retry", "forget", "open"]);
  });

  test("of the same owner goes on with what they left", async () => {
    const { signIn, taken } = told();
    await signIn("ann");
    taken();

    await signIn("ann");

    expect(taken()).toEqual(["close", "retry", "open"]);
  });

  test("that ends leaves nothing", async () => {
    const { signIn, signOut, taken } = told();
    await signIn("ann");
    taken();

    expect(await signOut()).toBe(true);

    expect(taken()).toEqual(["close", "retry", "forget", "open"]);
    expect(hasSession()).toBe(false);
  });

  test("that can't be ended goes on", async () => {
    const { signIn, signOut, taken } = told();
    await signIn("ann");
    taken();

    expect(await signOut(() => Promise.reject(new NetworkError("cut")))).toBe(false);

    expect(taken()).toEqual(["close", "open"]);
    expect(hasSession()).toBe(true);
  });
});
