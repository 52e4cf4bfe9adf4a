import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { LaneTable } from "../src/components/Operations.tsx";
import { sampleProvider } from "../src/tasks/sample.ts";
import { renderSpeaking } from "./speaking.tsx";

const lane = (provider: ReturnType<typeof sampleProvider>) => ({
  type: "CREATE",
  provider,
  waiting: 2,
  running: 1,
  since: null,
});
const rows = () =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => [...row.children].map(({ textContent }) => textContent));

test("a provider has its state, its success and its speed in the table", () => {
  const figures = { finished: 1200, success_rate: 0.975, p50_s: 3.2, p95_s: 14 };
  const breaker = { failures: 5, until: null };
  renderSpeaking(
    <LaneTable
      lanes={[
        lane(sampleProvider(figures)),
        lane(
          sampleProvider({ name: "KIE", healthy: false, breaker: { ...breaker, state: "open" } }),
        ),
        lane(sampleProvider({ name: "FAL", breaker: { ...breaker, state: "half_open" } })),
        lane(sampleProvider({ name: "FORGE", healthy: false })),
      ]}
    />,
  );
  const none = ["–", "–", "–", "0"];
  expect(rows()).toEqual([
    ["STUDIO", "Picture", "Healthy", "2", "1", "98%", "3.2 sec", "14 sec", "1,200"],
    ["KIE", "Picture", "Circuit open", "2", "1", ...none],
    ["FAL", "Picture", "Probing", "2", "1", ...none],
    ["FORGE", "Picture", "Not served", "2", "1", ...none],
  ]);
});

test("an open circuit says until when", () => {
  const until = "2026-11-21T14:03:00Z";
  const provider = sampleProvider({ breaker: { state: "open", failures: 5, until } });
  renderSpeaking(<LaneTable lanes={[lane(provider)]} />);
  const time = new Intl.DateTimeFormat(navigator.language, { timeStyle: "short" });
  expect(rows()[0]?.[2]).toBe(`Circuit open until ${time.format(Date.parse(until))}`);
});
