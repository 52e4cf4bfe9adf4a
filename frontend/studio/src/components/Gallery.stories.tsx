import type { Meta, StoryObj } from "@storybook/react-vite";
import { completedSample } from "../tasks/sample.ts";
import { SAMPLE_PICTURE } from "../tasks/sample-picture.ts";
import { Gallery } from "./Preview.tsx";

const several = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    completedSample(`${SAMPLE_PICTURE}#${index}`).artifacts.slice(0, 1),
  ).flat();

export default {
  component: Gallery,
  args: { artifacts: several(1), name: "a red bicycle", onOpen: () => undefined },
  decorators: [
    (Story) => (
      <div style={{ position: "relative", width: "20rem", aspectRatio: "4 / 3" }}>
        <Story />
      </div>
    ),
  ],
} satisfies Meta<typeof Gallery>;
type Story = StoryObj<typeof Gallery>;

export const One: Story = {};
export const AllOfIt: Story = { args: { whole: true } };
export const Two: Story = { args: { artifacts: several(2) } };
export const Three: Story = { args: { artifacts: several(3) } };
export const Eight: Story = { args: { artifacts: several(8) } };
