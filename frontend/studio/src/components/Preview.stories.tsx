import type { Meta, StoryObj } from "@storybook/react-vite";
import { completedSample } from "../tasks/sample.ts";
import { SAMPLE_PICTURE } from "../tasks/sample-picture.ts";
import type { Task } from "../tasks/task.ts";
import { Preview } from "./Preview.tsx";

const artifactOf = (url: string, content_type = "image/png") =>
  ({ ...completedSample(url).artifacts[0], content_type }) as Task["artifacts"][number];

export default {
  component: Preview,
  args: { artifact: artifactOf(SAMPLE_PICTURE), name: "a red bicycle" },
  decorators: [
    (Story) => (
      <div style={{ position: "relative", width: "20rem", aspectRatio: "4 / 3" }}>
        <Story />
      </div>
    ),
  ],
} satisfies Meta<typeof Preview>;
type Story = StoryObj<typeof Preview>;

export const Picture: Story = {};
export const NotLoaded: Story = { args: { artifact: artifactOf("data:image/png,none") } };
export const Video: Story = { args: { artifact: artifactOf("/artifacts/a.mp4", "video/mp4") } };
export const Model: Story = {
  args: { artifact: artifactOf("/artifacts/a.glb", "model/gltf-binary") },
};
export const ModelThatCannotBeShown: Story = {
  args: { artifact: artifactOf("/artifacts/none.glb", "model/gltf-binary"), life: "handled" },
};
export const OtherFile: Story = {
  args: { artifact: artifactOf("/artifacts/a.zip", "application/zip") },
};
