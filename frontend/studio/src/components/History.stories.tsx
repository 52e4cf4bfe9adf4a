import type { Meta, StoryObj } from "@storybook/react-vite";
import { useState } from "react";
import { EVERYTHING } from "../tasks/history.ts";
import { completedSample, failedSample, runningSample, sample } from "../tasks/sample.ts";
import { SAMPLE_PICTURE } from "../tasks/sample-picture.ts";
import { HistoryFilters } from "./HistoryFilters.tsx";
import { HistoryTile, TileGrid, TileSkeletons } from "./HistoryTile.tsx";

export default {
  component: HistoryTile,
  args: {
    task: completedSample(SAMPLE_PICTURE),
    now: Date.parse("2026-11-21T10:10:00Z"),
    onOpen: () => undefined,
  },
  render: (args) => (
    <TileGrid label="Tasks">
      <li>
        <HistoryTile {...args} />
      </li>
    </TileGrid>
  ),
} satisfies Meta<typeof HistoryTile>;
type Story = StoryObj<typeof HistoryTile>;

export const Completed: Story = {};
export const Waiting: Story = { args: { task: sample({ queue_position: 2 }) } };
export const Running: Story = { args: { task: runningSample() } };
export const Failed: Story = { args: { task: failedSample("timeout", "", { seconds: 300 }) } };
export const Cancelled: Story = { args: { task: sample({ status: "cancelled" }) } };
export const Loading: Story = { render: () => <TileSkeletons /> };

function Filters({ start = EVERYTHING }) {
  const [query, setQuery] = useState(start);
  return <HistoryFilters query={query} onChange={setQuery} />;
}

export const Filter: Story = { render: () => <Filters /> };
export const FilterSet: Story = {
  render: () => <Filters start={{ search: "bicycle", type: "CREATE", status: "failed" }} />,
};
