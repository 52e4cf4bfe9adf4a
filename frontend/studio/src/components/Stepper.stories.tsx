import { STAGES } from "@darkroom/client";
import type { Meta, StoryObj } from "@storybook/react-vite";
import { stepsOf } from "../tasks/stages.ts";
import { Stepper } from "./Stepper.tsx";

export default { component: Stepper } satisfies Meta<typeof Stepper>;
type Story = StoryObj<typeof Stepper>;

const picture = (status: string, stage: string): Story => ({
  args: { steps: stepsOf({ type: "CREATE", status, stage }) },
});

export const Queued = picture("processing", "queued");
export const Generating = picture("processing", "generating");
export const Saving = picture("processing", "saving");
export const Completed = picture("completed", "saving");
export const Failed = picture("failed", "generating");
export const Cancelled = picture("cancelled", "queued");

const statusOf = (stage: string) => {
  if (stage === "pending") return "pending";
  if (stage === "model_saved") return "completed";
  return stage.endsWith("_failed") ? "failed" : "processing";
};

/** All eleven. */
export const PhotoTo3d: Story = {
  render: () => (
    <ul style={{ display: "grid", gap: "1.5rem", maxWidth: "24rem" }}>
      {STAGES.PHOTO_TO_3D.map((stage) => (
        <li key={stage}>
          <code>{stage}</code>
          <Stepper
            steps={stepsOf({ type: "PHOTO_TO_3D", status: statusOf(stage), stage })}
            why="The provider did not answer within 180 s. Please try again."
          />
        </li>
      ))}
    </ul>
  ),
};
