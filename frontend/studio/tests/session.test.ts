import { NetworkError, ProblemError, type Session } from "@darkroom/client";
import { expect, test } from "vitest";
import { beginSession } from "../src/data/session.ts";

const SESSION: Session = { owner: "ann", expires_at: "2026-11-28T10:00:00Z" };
const begin = (answer: () => Promise<Session>) => beginSession({ beginSession: answer }, "a key");
const refusal = (code: "unauthorized" | "log_unreachable", status: 401 | 503) =>
  new ProblemError({ code, status, title: "No", detail: "No." });

test("a key is taken, refused, or nobody answered: each is told apart", async () => {
  expect(await begin(async () => SESSION)).toBe("taken");
  expect(await begin(() => Promise.reject(refusal("unauthorized", 401)))).toBe("refused");
  expect(await begin(() => Promise.reject(refusal("log_unreachable", 503)))).toBe("unanswered");
  expect(await begin(() => Promise.reject(new NetworkError("cut")))).toBe("unanswered");
});
