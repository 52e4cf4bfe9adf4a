import type { Meta, StoryObj } from "@storybook/react-vite";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { Crashed } from "./Crash.tsx";
import { KeyForm } from "./KeyForm.tsx";
import { PageHeader } from "./PageHeader.tsx";
import { PainterNote } from "./PainterNote.tsx";
import { Settings as SettingsClosed } from "./Settings.tsx";
import { SettingsMenu } from "./SettingsMenu.tsx";
import { Shell } from "./Shell.tsx";
import { Skeleton } from "./Skeleton.tsx";

export default { component: Shell, parameters: { layout: "fullscreen" } } satisfies Meta<
  typeof Shell
>;
type Story = StoryObj<typeof Shell>;

export const AllPages: Story = {
  args: {
    pages: [
      "create",
      "white-background",
      "clothing-change",
      "photo-to-3d",
      "video",
      "history",
      "operations",
    ],
    current: "create",
    children: <PageHeader page="create" />,
  },
};
export const NoPagesYet: Story = {
  args: { pages: [], current: null, children: <KeyForm onKey={async () => "taken"} /> },
};
/** Give any key to see it. */
export const KeyRefused: Story = { render: () => <KeyForm onKey={async () => "refused"} /> };
/** Give any key to see it. */
export const KeyNotAnswered: Story = { render: () => <KeyForm onKey={async () => "unanswered"} /> };
export const Offline: Story = { render: () => <ConnectionBanner reachability="offline" /> };
export const Unreachable: Story = { render: () => <ConnectionBanner reachability="unreachable" /> };
export const Broken: Story = { render: () => <Crashed /> };
export const Settings: Story = { render: () => <SettingsClosed /> };
export const SettingsOpen: Story = { render: () => <SettingsMenu /> };
export const SettingsInSession: Story = {
  render: () => <SettingsMenu onSignOut={async () => true} />,
};
/** Sign out to see it. */
export const SignOutNotAnswered: Story = {
  render: () => <SettingsMenu onSignOut={async () => false} />,
};
export const WhoPaints: Story = { render: () => <PainterNote /> };
export const Outline: Story = { render: () => <Skeleton /> };
