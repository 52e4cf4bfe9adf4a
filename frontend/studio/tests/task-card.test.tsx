import { fireEvent, screen, within } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import type { PhotoOnItsWay } from "../src/components/PhotoState.tsx";
import { TaskCard } from "../src/components/TaskCard.tsx";
import { completedSample, failedSample, runningSample, sample } from "../src/tasks/sample.ts";
import type { Task } from "../src/tasks/task.ts";
import { renderSpeaking } from "./speaking.tsx";

const NOW = Date.parse("2026-11-21T10:10:00Z");

function Line({ tasks }: { tasks: readonly Task[] }) {
  return tasks.map((task) => <TaskCard key={task.task_id} task={task} now={NOW} />);
}

const queued = (id: string, place: number) =>
  sample({ task_id: id, prompt: `task ${id}`, queue_position: place });

const places = () =>
  screen.getAllByRole("article").map((card) => /Number (\d+)/.exec(card.textContent ?? "")?.[1]);

describe("the place in the line", () => {
  test("of a single task is 1", () => {
    renderSpeaking(<Line tasks={[queued("a", 1)]} />);
    expect(places()).toEqual(["1"]);
  });

  test("of several is 1, 2, 3", () => {
    renderSpeaking(<Line tasks={[queued("a", 1), queued("b", 2), queued("c", 3)]} />);
    expect(places()).toEqual(["1", "2", "3"]);
  });

  test("stands large where the picture will be", () => {
    const { container } = renderSpeaking(<Line tasks={[queued("a", 7)]} />);
    expect(container.querySelector("[aria-hidden]")?.textContent).toBe("7Waiting in line");
  });

  test("moves up when the first starts, and again when it ends", () => {
    const { rerender } = renderSpeaking(
      <Line tasks={[queued("a", 1), queued("b", 2), queued("c", 3)]} />,
    );
    const started = runningSample({ task_id: "a" });
    rerender(<Line tasks={[started, queued("b", 1), queued("c", 2)]} />);
    expect(places()).toEqual([undefined, "1", "2"]);

    const ended = completedSample("/artifacts/a.png", { task_id: "a" });
    rerender(<Line tasks={[ended, runningSample({ task_id: "b" }), queued("c", 1)]} />);
    expect(places()).toEqual([undefined, undefined, "1"]);
  });

  test("is given to a task that comes after", () => {
    const { rerender } = renderSpeaking(<Line tasks={[queued("a", 1)]} />);
    rerender(<Line tasks={[queued("a", 1), queued("b", 2)]} />);
    expect(places()).toEqual(["1", "2"]);
  });

  test("is not guessed while the server has not said it", () => {
    renderSpeaking(<TaskCard task={sample({ queue_position: null })} now={NOW} />);
    expect(screen.getByText("Waiting in line")).toBeTruthy();
    expect(places()).toEqual([undefined]);
  });
});

describe("a card", () => {
  test("of a running task tells how far it is", () => {
    renderSpeaking(<TaskCard task={runningSample()} now={NOW} onCancel={() => undefined} />);
    const bar = screen.getByRole("progressbar");
    expect(bar.getAttribute("aria-valuenow")).toBe("42");
    expect(screen.getByText("about 12 sec")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Cancel" })).toBeTruthy();
    const current = screen
      .getAllByRole("listitem")
      .find((step) => step.getAttribute("aria-current") === "step");
    expect(current?.textContent).toContain("Generating");
  });

  test("of a finished task has its picture and a download with a good name", () => {
    const task = completedSample("http://127.0.0.1:8400/artifacts/x.png");
    renderSpeaking(<TaskCard task={task} now={NOW} />);
    expect(screen.getByRole("img").getAttribute("src")).toBe("/artifacts/x.png");
    expect(screen.getByRole("link", { name: "Download" }).getAttribute("download")).toBe(
      "a-red-bicycle-by-the-sea-at-sunset.png",
    );
    expect(screen.queryByRole("progressbar")).toBeNull();
  });

  test("of a failed task says why in the reader's language, spins no more, and can be retried", async () => {
    const onRetry = vi.fn();
    const task = failedSample("timeout", "Nothing was heard of this task for 300 s.", {
      seconds: 300,
    });
    renderSpeaking(<TaskCard task={task} now={NOW} onRetry={onRetry} />, "tr");
    expect(await screen.findByText("Durduruldu: çok uzun sürdü")).toBeTruthy();
    expect(screen.queryByRole("progressbar")).toBeNull();
    screen.getByRole("button", { name: "Yeniden dene" }).click();
    expect(onRetry).toHaveBeenCalledOnce();
  });

  test("shows the pictures that were given, but loads none from strangers", () => {
    const task = sample({
      reference_images: ["http://127.0.0.1:8400/uploads/1", "https://example.org/cat.png"],
    });
    renderSpeaking(<TaskCard task={task} now={NOW} />);
    const card = within(screen.getByRole("article"));
    expect(card.getByAltText("Reference picture 1").getAttribute("src")).toBe("/uploads/1");
    expect(card.getByRole("link").textContent).toBe("Picture at example.org");
  });
});

describe("a card of a photo to 3D", () => {
  const waiting = sample({ type: "PHOTO_TO_3D", status: "pending", stage: "pending" });
  const photo = (changes: Partial<PhotoOnItsWay> | null) => ({
    photo: changes && { percent: 42, problem: null, preview: "blob:1", ...changes },
    onChoose: vi.fn(),
    onAgain: vi.fn(),
  });

  test("shows how much of the photo has been sent", () => {
    renderSpeaking(<TaskCard task={waiting} now={NOW} photo={photo({})} />);
    const bar = screen.getByRole("progressbar", { name: "Uploading the photo, 42 %" });
    expect(bar.getAttribute("aria-valuenow")).toBe("42");
    expect(screen.queryByRole("button", { name: "Choose the photo" })).toBeNull();
  });

  test("offers the photo again that was cut off, or another", () => {
    const told = photo({ problem: { code: "network", detail: "" } });
    const { container } = renderSpeaking(<TaskCard task={waiting} now={NOW} photo={told} />);
    expect(screen.getByText("The server can't be reached.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Send again" }));
    expect(told.onAgain).toHaveBeenCalledOnce();
    const file = new File(["b"], "other.png");
    fireEvent.change(container.querySelector("input[type=file]") as Element, {
      target: { files: [file] },
    });
    expect(told.onChoose).toHaveBeenCalledWith(file);
  });

  test("asks for the photo when the page has none, as after a reload", () => {
    renderSpeaking(<TaskCard task={waiting} now={NOW} photo={photo(null)} />);
    expect(screen.getByText("The task waits for its photo")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Send again" })).toBeNull();
    expect(screen.getByRole("button", { name: "Choose the photo" })).toBeTruthy();
  });

  test("with its photo only waits for its time", () => {
    const task = { ...waiting, reference_images: ["http://127.0.0.1:8400/uploads/1"] };
    renderSpeaking(<TaskCard task={task} now={NOW} photo={photo(null)} />);
    expect(screen.queryByRole("button", { name: "Choose the photo" })).toBeNull();
  });

  test("that is done has all its steps, and a way to the model", () => {
    const artifact = { content_type: "model/gltf-binary", width: null, height: null };
    const task = completedSample("/artifacts/a.glb", { type: "PHOTO_TO_3D", stage: "model_saved" });
    const artifacts = task.artifacts.map((each) => ({ ...each, ...artifact }));
    renderSpeaking(<TaskCard task={{ ...task, artifacts }} now={NOW} />);
    // The tests' browser draws nothing in three dimensions.
    expect(screen.getByText(/can't show 3D models/)).toBeTruthy();
    expect(screen.getByRole("link", { name: "Download" }).getAttribute("href")).toBe(
      "/artifacts/a.glb",
    );
    expect(screen.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
      "Photo uploaded, done",
      "Removing background, done",
      "Queueing job, done",
      "Generating 3D model, done",
      "Model ready, done",
    ]);
  });
});

describe("a card tells", () => {
  test("why its provider isn't asked, instead of a time that does not hold", () => {
    const reason = { code: "provider_busy", provider: "KIE", until: null } as const;
    renderSpeaking(<TaskCard task={sample()} now={NOW} reason={reason} />);
    expect(screen.getByText("KIE takes no more at present")).toBeTruthy();
    expect(screen.queryByText("about 12 sec")).toBeNull();
  });

  test("that it is on hold, whatever else it was doing, and what becomes of it", async () => {
    const parked = { since: "2026-11-21T10:00:00Z", reason: "told in English only" };
    renderSpeaking(<TaskCard task={runningSample({ metadata: { parked } })} now={NOW} />, "tr");
    expect(await screen.findByText("Beklemede")).toBeTruthy();
    expect(screen.getByText(/Bir yöneticinin bakması gerekiyor/)).toBeTruthy();
    expect(screen.queryByRole("progressbar")).toBeNull();
  });

  test("that it is on hold when only what was asked apart from it says so", () => {
    renderSpeaking(<TaskCard task={runningSample()} now={NOW} reason="on_hold" />);
    expect(screen.getByText("On hold")).toBeTruthy();
  });

  test("nothing of a hold that is over, or that its owner made up", () => {
    const task = runningSample({ metadata: { parked: "my own word" } });
    renderSpeaking(<TaskCard task={task} now={NOW} />);
    expect(screen.queryByText("On hold")).toBeNull();
    expect(screen.getByRole("progressbar")).toBeTruthy();
  });

  test("who stood in", () => {
    const task = completedSample("/artifacts/a.png", { metadata: { substituted_from: "KIE" } });
    renderSpeaking(<TaskCard task={task} now={NOW} />);
    expect(screen.getByText("Made by STUDIO, because KIE was down")).toBeTruthy();
  });

  test("that a result came late, with the result", () => {
    const { artifacts } = completedSample("/artifacts/late.png");
    const task = failedSample("timeout", "late", {}, { late_artifacts: artifacts });
    renderSpeaking(<TaskCard task={task} now={NOW} onRetry={() => undefined} />);
    expect(screen.getByText("Came late")).toBeTruthy();
    expect(screen.getByRole("img").getAttribute("src")).toBe("/artifacts/late.png");
    expect(screen.getByRole("link", { name: "Download" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  test("of several results four, and how many more there are", () => {
    const one = completedSample("/artifacts/0.png");
    const artifacts = [0, 1, 2, 3, 4, 5].flatMap(
      (index) => completedSample(`/artifacts/${index}.png`).artifacts,
    );
    renderSpeaking(<TaskCard task={{ ...one, artifacts }} now={NOW} onOpen={() => undefined} />);
    expect(screen.getAllByRole("img").map((each) => each.getAttribute("alt"))).toEqual(
      [1, 2, 3, 4].map((number) => `${one.prompt}, ${number} of 6`),
    );
    expect(screen.getByText("+2")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Download" })).toBeNull();
    expect(screen.getByRole("button", { name: `Look closer at ${one.prompt}` })).toBeTruthy();
  });
});
