import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { Viewer } from "../src/components/Viewer.tsx";
import { completedSample, failedSample } from "../src/tasks/sample.ts";
import type { Task } from "../src/tasks/task.ts";
import { renderSpeaking } from "./speaking.tsx";

const artifacts = [1, 2, 3].flatMap((n) => completedSample(`/artifacts/${n}.png`).artifacts);
const shown = (task: Task) => {
  renderSpeaking(<Viewer task={task} events={[]} onClose={() => undefined} />);
  return within(screen.getByRole("dialog"));
};

test("steps through several results, by button and by arrow, each with its download", () => {
  const dialog = shown({ ...completedSample("/artifacts/1.png"), artifacts });
  const now = () => [
    dialog.getByRole("img").getAttribute("src"),
    dialog.getByRole("link", { name: "Download" }).getAttribute("href"),
  ];
  expect(now()).toEqual(["/artifacts/1.png", "/artifacts/1.png"]);
  fireEvent.click(dialog.getByRole("button", { name: "Next" }));
  expect(now()).toEqual(["/artifacts/2.png", "/artifacts/2.png"]);
  expect(dialog.getByText("2 of 3")).toBeTruthy();
  fireEvent.keyDown(screen.getByRole("dialog"), { key: "ArrowLeft" });
  fireEvent.keyDown(screen.getByRole("dialog"), { key: "ArrowLeft" });
  expect(now()).toEqual(["/artifacts/3.png", "/artifacts/3.png"]);
  fireEvent.keyDown(screen.getByRole("dialog"), { key: "ArrowRight" });
  expect(now()).toEqual(["/artifacts/1.png", "/artifacts/1.png"]);
});

test("has nothing to step through of one result", () => {
  const dialog = shown(completedSample("/artifacts/1.png"));
  expect(dialog.queryByRole("button", { name: "Next" })).toBeNull();
});

test("shows what came late, and says so", () => {
  const dialog = shown(failedSample("timeout", "late", {}, { late_artifacts: artifacts }));
  expect(dialog.getByText("Came late")).toBeTruthy();
  expect(dialog.getByRole("img").getAttribute("src")).toBe("/artifacts/1.png");
});
