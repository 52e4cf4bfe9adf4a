import type { Meta, StoryObj } from "@storybook/react-vite";
import { Download, Sparkles, X } from "lucide-react";
import { Button, ButtonLink } from "./Button.tsx";

export default { component: Button, args: { children: "Create" } } satisfies Meta<typeof Button>;
type Story = StoryObj<typeof Button>;

export const Primary: Story = { args: { look: "primary", icon: Sparkles } };
export const Plain: Story = { args: { icon: X, children: "Cancel" } };
export const Quiet: Story = { args: { look: "quiet", children: "Options" } };
export const Disabled: Story = { args: { disabled: true } };
export const AsALink: Story = {
  render: () => (
    <ButtonLink icon={Download} href="#saved">
      Download
    </ButtonLink>
  ),
};
