import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, onTestFinished, test, vi } from "vitest";
import { DeadLetterTable } from "../src/components/DeadLetters.tsx";
import { useDeadLetters, useRetryDeadLetters } from "../src/data/dead-letters.ts";
import { renderSpeaking } from "./speaking.tsx";

const NOW = Date.parse("2026-11-21T10:05:00Z");
const letter = {
  sequence: 7,
  task_id: "0199f0c2-7e4a-7000-8000-000000000001",
  reason: "undecodable: Field required",
  first_at: "2026-11-21T10:00:00Z",
  tries: 2,
  waiting: 3,
};
const one = { dead_letters: [letter], events: 4, tasks: 1 };
const none = { dead_letters: [], events: 0, tasks: 0 };

function Panel(): ReactNode {
  const letters = useDeadLetters(60_000);
  const retry = useRetryDeadLetters();
  if (letters === null) return <p>nothing for you</p>;
  return (
    <DeadLetterTable
      letters={letters}
      now={NOW}
      busy={retry.isPending}
      retried={retry.data ?? null}
      failed={retry.isError}
      onRetry={retry.mutate}
    />
  );
}

/** The panel on a server that answers so, by method and path; what it was asked. */
function open(answers: Record<string, () => Response>): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (path: string, { method = "GET", body }: RequestInit = {}) => {
    asked.push([method, path, body].filter(Boolean).join(" "));
    return (answers[`${method} ${path.split("?")[0]}`] as () => Response)();
  });
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  renderSpeaking(
    <QueryClientProvider client={new QueryClient()}>
      <Panel />
    </QueryClientProvider>,
  );
  return asked;
}

test("shows an admin what is on hold, tries it again and shows what is left", async () => {
  let left: object = one;
  const asked = open({
    "GET /dead-letters": () => Response.json(left),
    "POST /dead-letters/7/retry": () => {
      left = none;
      return Response.json({ applied: 4, parked: 0, following: null });
    },
  });
  const row = await screen.findByRole("row", { name: /undecodable/ });
  expect([...row.children].slice(1, 5).map(({ textContent }) => textContent)).toEqual([
    "undecodable: Field required",
    "5 minutes ago",
    "2",
    "3",
  ]);
  expect(screen.getByText(/4 events of 1 task\./)).toBeTruthy();

  fireEvent.click(screen.getByRole("button", { name: `Try ${letter.task_id} again` }));

  expect(await screen.findByText("4 applied, 0 still on hold")).toBeTruthy();
  expect(await screen.findByText(/0 events of 0 tasks\./)).toBeTruthy();
  expect(asked[1]).toBe("POST /dead-letters/7/retry");
});

test("tries all again, a part after the other", async () => {
  const parts = [
    { applied: 1000, parked: 0, following: 70 },
    { applied: 2, parked: 1, following: null },
  ];
  const asked = open({
    "GET /dead-letters": () => Response.json(one),
    "POST /dead-letters/retry": () => Response.json(parts.shift()),
  });

  fireEvent.click(await screen.findByRole("button", { name: "Try all again" }));

  expect(await screen.findByText("1002 applied, 1 still on hold")).toBeTruthy();
  expect(asked.filter((each) => each.startsWith("POST"))).toEqual([
    'POST /dead-letters/retry {"all":true,"after":0}',
    'POST /dead-letters/retry {"all":true,"after":70}',
  ]);
});

test("says that nothing was changed when it could not be tried", async () => {
  open({
    "GET /dead-letters": () => Response.json(one),
    "POST /dead-letters/retry": () => Response.json({}, { status: 503 }),
  });

  fireEvent.click(await screen.findByRole("button", { name: "Try all again" }));

  expect(await screen.findByText(/Nothing was changed/)).toBeTruthy();
});

test("shows nothing to who is no admin, and doesn't ask again", async () => {
  const asked = open({ "GET /dead-letters": () => Response.json({}, { status: 403 }) });
  expect(await screen.findByText("nothing for you")).toBeTruthy();
  expect(asked).toHaveLength(1);
});
