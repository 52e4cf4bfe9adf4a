import type { ProviderOffer } from "@darkroom/client";
import type { Meta, StoryObj } from "@storybook/react-vite";
import type { Lane } from "../tasks/lanes.ts";
import { failedSample, sampleProvider } from "../tasks/sample.ts";
import type { System } from "../tasks/system.ts";
import {
  FailureList,
  HaltedNotice,
  LaneTable,
  ReadinessPanel,
  StatTile,
  StatTiles,
  SystemTiles,
} from "./Operations.tsx";

export default { component: ReadinessPanel } satisfies Meta<typeof ReadinessPanel>;
const lane = (provider: Partial<ProviderOffer>, waiting: number, running: number): Lane => ({
  type: "CREATE",
  provider: sampleProvider(provider),
  waiting,
  running,
  since: waiting > 0 ? "2026-11-21T10:09:20Z" : null,
});
const figures = { finished: 120, success_rate: 0.975, p50_s: 3.2, p95_s: 14 };
const until = "2026-11-21T10:11:00Z";
const served = lane(figures, 3, 4);
const broken = lane(
  { name: "KIE", healthy: false, breaker: { state: "open", failures: 5, until } },
  120,
  0,
);
const probed = lane(
  { name: "FAL", healthy: false, breaker: { state: "half_open", failures: 5, until: null } },
  7,
  1,
);
const unserved = lane({ name: "FORGE", healthy: false }, 1, 0);

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
  render: () => <LaneTable lanes={[served, broken, probed, unserved]} />,
};
export const LanesOfAll: Story = {
  render: () => (
    <LaneTable
      lanes={[served, broken, probed, unserved]}
      now={Date.parse("2026-11-21T10:10:00Z")}
    />
  ),
};
const readings = (halted: string | null): readonly System[] =>
  [0, 3, 6, 9].map((second) => ({
    at: `2026-11-21T10:10:0${second}Z`,
    log: { last_sequence: 4000 + second * 120, bytes: 310_000_000, max_bytes: 1_000_000_000 },
    projection: {
      build: 1,
      sequence: halted ? 4000 : 4000 + second * 120 - (second % 2) * 30,
      lag_events: halted ? second * 120 : (second % 2) * 30,
      lag_seconds: halted ? second : (second % 2) * 0.2,
      halted,
    },
    queues: [
      {
        type: "CREATE",
        provider: "STUDIO",
        waiting: 12,
        running: 4,
        finished: 900 + second,
        since: "2026-11-21T10:09:20Z",
      },
    ],
  }));
const tenPast = Date.parse("2026-11-21T10:10:10Z");
export const Whole: Story = {
  render: () => (
    <StatTiles>
      <SystemTiles readings={readings(null)} now={tenPast} />
    </StatTiles>
  ),
};
export const WholeHalted: Story = {
  render: () => (
    <HaltedNotice system={readings("the checkpoint is at 4000, but the log ends at 3990")[0]} />
  ),
};
export const LanesNotCounted: Story = {
  render: () => <LaneTable lanes={[served]} counted={false} />,
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
