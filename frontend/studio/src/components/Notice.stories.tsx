import type { Meta, StoryObj } from "@storybook/react-vite";
import { Button } from "./Button.tsx";
import { Notice } from "./Notice.tsx";

export default {
  component: Notice,
  args: { title: "Something to know", children: "And what it means for you." },
} satisfies Meta<typeof Notice>;
type Story = StoryObj<typeof Notice>;

export const Info: Story = {};
export const Warning: Story = { args: { tone: "warn" } };
export const Bad: Story = { args: { tone: "bad" } };
export const Good: Story = { args: { tone: "good" } };
export const WithSomethingToDo: Story = {
  args: { tone: "bad", actions: <Button>Try again</Button> },
};
