import type { Meta, StoryObj } from "@storybook/react-vite";
import { CardGrid } from "./TaskCard.tsx";
import { UnsentCard } from "./UnsentCard.tsx";

export default {
  component: UnsentCard,
  args: {
    request: { type: "CREATE", prompt: "a red bicycle by the sea at sunset" },
    state: "sending",
    problem: null,
    onResend: () => undefined,
    onDiscard: () => undefined,
  },
  decorators: [
    (Story) => (
      <CardGrid label="Cards">
        <Story />
      </CardGrid>
    ),
  ],
} satisfies Meta<typeof UnsentCard>;
type Story = StoryObj<typeof UnsentCard>;

export const Sending: Story = {};
export const NoNetwork: Story = {
  args: { state: "unanswered", problem: { code: "network", detail: "" } },
};
export const Refused: Story = {
  args: { state: "refused", problem: { code: "queue_full", detail: "", retryAfterS: 5 } },
};
