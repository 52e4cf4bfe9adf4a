import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { HistoryTile } from "../src/components/HistoryTile.tsx";
import { completedSample, failedSample, runningSample, sample } from "../src/tasks/sample.ts";
import { renderSpeaking } from "./speaking.tsx";

test.each([
  ["waits", sample({ queue_position: 2 })],
  ["is worked on", runningSample()],
  ["has its picture", completedSample("/artifacts/a.png")],
  ["failed", failedSample("timeout", "late")],
  ["was cancelled", sample({ status: "cancelled" })],
])("a task that %s is a button with what a button may have in it", (_, task) => {
  renderSpeaking(<HistoryTile task={task} now={0} onOpen={() => undefined} />);
  const button = screen.getByRole("button");
  expect(button.querySelector("span, img")).not.toBeNull();
  expect(button.querySelector("div, p, ul, section, article, button, a")).toBeNull();
});
