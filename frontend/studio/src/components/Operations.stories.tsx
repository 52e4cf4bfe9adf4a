import type { Meta, StoryObj } from "@storybook/react-vite";
import { failedSample } from "../tasks/sample.ts";
import { FailureList, LaneTable, ReadinessPanel, StatTile, StatTiles } from "./Operations.tsx";

export default { component: ReadinessPanel } satisfies Meta<typeof ReadinessPanel>;
type Story = StoryObj<typeof ReadinessPanel>;

const checks = [
  { name: "log", ok: true, detail: "at 81234, 61002311 bytes" },
  { name: "task_store", ok: true, detail: "0 events behind" },
  { name: "providers", ok: true, detail: "forge, studio" },
];

export const Ready: Story = { args: { readiness: { ready: true, checks } } };
export const NotReady: Story = {
  args: {
    readiness: {
      ready: false,
      checks: checks.map((check) =>
        check.name === "task_store"
          ? { ...check, ok: false, detail: "4120 events behind, not moving" }
          : check,
      ),
    },
  },
};
export const NotAnswered: Story = { args: { readiness: null } };
export const Figures: Story = {
  render: () => (
    <StatTiles>
      <StatTile label="Waiting" value="12" />
      <StatTile label="Accepted per minute" value="8.5" trend={[1, 3, 2, 5, 8, 8.5]} />
      <StatTile label="Submit, median" value="–" />
    </StatTiles>
  ),
};
export const Lanes: Story = {
  render: () => (
    <LaneTable
      lanes={[
        { type: "CREATE", provider: "STUDIO", healthy: true, waiting: 3, running: 4 },
        { type: "CREATE", provider: "FORGE", healthy: false, waiting: 120, running: 0 },
      ]}
    />
  ),
};
export const LanesNotCounted: Story = {
  render: () => (
    <LaneTable
      lanes={[{ type: "CREATE", provider: "STUDIO", healthy: true, waiting: 0, running: 0 }]}
      counted={false}
    />
  ),
};
export const NoLanes: Story = { render: () => <LaneTable lanes={[]} /> };
export const Failures: Story = {
  render: () => (
    <FailureList
      tasks={[failedSample("provider_rejected", "The paint ran out.")]}
      now={Date.parse("2026-11-21T10:10:00Z")}
      onOpen={() => undefined}
    />
  ),
};
export const NoFailures: Story = {
  render: () => <FailureList tasks={[]} now={0} onOpen={() => undefined} />,
};
export const FailuresNotKnown: Story = {
  render: () => <FailureList tasks={null} now={0} onOpen={() => undefined} />,
};
