import type { Meta, StoryObj } from "@storybook/react-vite";
import { Ban, CircleSlash } from "lucide-react";
import { DevelopingTray, EndedTray, WaitingTray } from "./Tray.tsx";

export default {
  component: DevelopingTray,
  decorators: [
    (Story) => (
      <div style={{ position: "relative", width: "20rem", aspectRatio: "4 / 3" }}>
        <Story />
      </div>
    ),
  ],
} satisfies Meta<typeof DevelopingTray>;
type Story = StoryObj<typeof DevelopingTray>;

export const Developing: Story = { args: { percent: 42 } };
export const Beginning: Story = { args: { percent: null } };
export const Waiting: Story = { render: () => <WaitingTray place={3} /> };
export const PlaceNotKnown: Story = { render: () => <WaitingTray place={null} /> };
export const Failed: Story = { render: () => <EndedTray icon={Ban} bad /> };
export const Cancelled: Story = { render: () => <EndedTray icon={CircleSlash} bad={false} /> };
