import type { Meta, StoryObj } from "@storybook/react-vite";
import { ProgressBar } from "./ProgressBar.tsx";

export default {
  component: ProgressBar,
  args: { label: "Progress of a fox", percent: 42 },
} satisfies Meta<typeof ProgressBar>;
type Story = StoryObj<typeof ProgressBar>;

export const Some: Story = {};
export const Nothing: Story = { args: { percent: 0 } };
export const All: Story = { args: { percent: 100 } };
export const NotKnown: Story = { args: { percent: null } };
