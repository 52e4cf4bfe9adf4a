import type { TaskEvent } from "@darkroom/client";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { completedSample, failedSample, runningSample, sample } from "../tasks/sample.ts";
import { SAMPLE_PICTURE } from "../tasks/sample-picture.ts";
import { Viewer } from "./Viewer.tsx";

const event = (sequence: number, type: string, data = {}): TaskEvent => ({
  id: String(sequence),
  source: "story",
  subject: "task",
  type: `generation.${type}`,
  time: `2026-11-21T10:00:0${sequence}Z`,
  logtime: `2026-11-21T10:00:0${sequence}Z`,
  data,
  sequence,
});
const EVENTS = [
  event(1, "requested"),
  event(2, "started"),
  event(3, "progressed", { stage: "generating", progress: 60 }),
  event(4, "progressed", { stage: "saving", progress: 95 }),
  event(5, "completed"),
];

export default {
  component: Viewer,
  args: {
    task: completedSample(SAMPLE_PICTURE),
    events: EVENTS,
    onClose: () => undefined,
    onRetry: () => undefined,
  },
  parameters: { layout: "fullscreen" },
} satisfies Meta<typeof Viewer>;
type Story = StoryObj<typeof Viewer>;

export const Completed: Story = {};
export const Several: Story = {
  args: {
    task: completedSample(SAMPLE_PICTURE, {
      artifacts: [1, 2, 3].flatMap(
        (number) => completedSample(`${SAMPLE_PICTURE}#${number}`).artifacts,
      ),
    }),
  },
};
export const CameLate: Story = {
  args: {
    task: failedSample(
      "timeout",
      "",
      { seconds: 300 },
      { late_artifacts: completedSample(SAMPLE_PICTURE).artifacts },
    ),
  },
};
export const ModelFailed: Story = {
  args: {
    task: failedSample(
      "provider_error",
      "Too little contrast.",
      {},
      { type: "PHOTO_TO_3D", stage: "bgr_removal_failed", prompt: null },
    ),
  },
};
export const Loading: Story = { args: { task: null, events: null } };
export const NotThere: Story = {
  args: { task: null, problem: "There is no such task.", events: null },
};
export const Waiting: Story = { args: { task: sample(), events: EVENTS.slice(0, 1) } };
export const Running: Story = { args: { task: runningSample(), events: EVENTS.slice(0, 3) } };
export const Failed: Story = {
  args: { task: failedSample("provider_rejected", "The paint ran out.") },
};
export const WithoutItsEvents: Story = { args: { events: null, eventsFailed: true } };
export const Cancelled: Story = {
  args: { task: sample({ status: "cancelled" }), events: EVENTS.slice(0, 1) },
};
export const LoadingItsEvents: Story = { args: { events: null } };
export const NotTriedAgain: Story = {
  args: {
    task: failedSample("provider_rejected", "The paint ran out."),
    refused: "The line is full at the moment. Try again in a little while.",
  },
};
