import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { expect, onTestFinished, test, vi } from "vitest";
import { HaltedNotice, LaneTable, SystemTiles } from "../src/components/Operations.tsx";
import { useSystem } from "../src/data/system.ts";
import { lanesOfAll } from "../src/tasks/lanes.ts";
import { sampleProvider } from "../src/tasks/sample.ts";
import { growth, type Queue, type System, sums } from "../src/tasks/system.ts";
import { renderSpeaking } from "./speaking.tsx";

const NOW = Date.parse("2026-11-21T10:05:00Z");
const queue: Queue = {
  type: "CREATE",
  provider: "STUDIO",
  waiting: 3,
  running: 2,
  finished: 10,
  since: "2026-11-21T10:04:30Z",
};
const kie: Queue = { ...queue, provider: "KIE", waiting: 0, finished: 5, since: null };

function system(seconds: number, sequence: number, finished = 10, build = 1): System {
  return {
    at: new Date(NOW + seconds * 1000).toISOString(),
    log: { last_sequence: sequence, bytes: 250, max_bytes: 1000 },
    projection: { build, sequence, lag_events: 0, lag_seconds: 0, halted: null },
    queues: [{ ...queue, finished }, kie],
  };
}

const figures = () =>
  screen.getAllByRole("term").map((term) => [term.textContent, term.nextSibling?.textContent]);

function Panel(): ReactNode {
  const readings = useSystem(20);
  return readings.length < 2 ? (
    <p>too few</p>
  ) : (
    <dl>
      <SystemTiles readings={readings} now={NOW} />
    </dl>
  );
}

function open(answer: () => Response): void {
  vi.stubGlobal("fetch", async () => answer());
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  renderSpeaking(
    <QueryClientProvider client={new QueryClient()}>
      <Panel />
    </QueryClientProvider>,
  );
}

test("all lines together wait as long as the first of them", () => {
  const early = { ...kie, waiting: 1, since: "2026-11-21T10:04:29.9Z" };
  expect(sums([queue, kie])).toEqual({
    waiting: 3,
    running: 4,
    finished: 15,
    since: "2026-11-21T10:04:30Z",
  });
  expect(sums([queue, early]).since).toBe("2026-11-21T10:04:29.9Z");
  expect(sums([])).toEqual({ waiting: 0, running: 0, finished: 0, since: null });
});

test("a rate is what was grown by in a minute, and unknown over a rebuild", () => {
  const at = (each: System) => each.projection.sequence;
  expect(growth([], at)).toEqual([]);
  expect(growth([system(0, 100)], at)).toEqual([]);
  expect(growth([system(0, 100), system(30, 160), system(60, 160)], at)).toEqual([120, 60]);
  expect(growth([system(0, 100), system(30, 90)], at)).toEqual([]);
  expect(growth([system(0, 100), system(30, 160, 10, 2)], at)).toEqual([]);
});

test("an admin sees how far the rows are behind and how much gets done", async () => {
  let reads = 0;
  open(() => {
    reads += 1;
    return Response.json(system(30 * reads, 100 + 60 * reads, 10 + 2 * reads));
  });
  expect(await screen.findByText("Rows behind the log")).toBeTruthy();
  expect(figures()).toEqual([
    ["Rows behind the log", "0"],
    ["Events per second", "2"],
    ["Ended per minute", "4"],
    ["Longest wait", "30 sec"],
    ["Log used", "25%"],
  ]);
});

test("what stops the rows is said", () => {
  const still = system(0, 100);
  const projection = { ...still.projection, halted: "the log ends at 90", lag_events: 4 };
  const readings = [{ ...still, projection: { ...projection, lag_seconds: 12 } }];
  renderSpeaking(
    <>
      <HaltedNotice system={readings[0]} />
      <SystemTiles readings={readings} now={NOW} />
    </>,
  );
  expect(screen.getByText("the log ends at 90")).toBeTruthy();
  expect(figures()[0]).toEqual(["Rows behind the log", "12 sec"]);
});

test("who is no admin is shown nothing and asked once", async () => {
  const asked = vi.fn(() => new Response("{}", { status: 403 }));
  open(asked);
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
  expect(screen.getByText("too few")).toBeTruthy();
});

test("a lane counts everybody's tasks and says how long its first waits", () => {
  const providers = [sampleProvider({}), sampleProvider({ name: "FAL" })];
  const [offer] = [{ type: "CREATE", providers }] as unknown as Parameters<typeof lanesOfAll>[0];
  const lanes = lanesOfAll(offer === undefined ? [] : [offer], [queue, kie]);
  renderSpeaking(<LaneTable lanes={lanes} now={NOW} />);
  const rows = screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => [...row.children].slice(0, 6).map(({ textContent }) => textContent));
  expect(rows).toEqual([
    ["STUDIO", "Picture", "Healthy", "3", "30 sec", "2"],
    ["FAL", "Picture", "Healthy", "0", "–", "0"],
  ]);
});
