import type { Meta, StoryObj } from "@storybook/react-vite";
import { Images, SearchX } from "lucide-react";
import { Button } from "./Button.tsx";
import { EmptyState } from "./EmptyState.tsx";

export default {
  component: EmptyState,
  args: { icon: Images, title: "Nothing in the tray yet." },
} satisfies Meta<typeof EmptyState>;
type Story = StoryObj<typeof EmptyState>;

export const Plain: Story = {};
export const WithAHint: Story = { args: { children: "What you create is kept here." } };
export const WithSomethingToDo: Story = {
  args: { icon: SearchX, title: "Nothing matches", actions: <Button>Clear the filters</Button> },
};
