import type { Meta, StoryObj } from "@storybook/react-vite";
import { completedSample, failedSample, runningSample, sample } from "../tasks/sample.ts";
import { SAMPLE_PICTURE } from "../tasks/sample-picture.ts";
import type { Task } from "../tasks/task.ts";
import type { PhotoOnItsWay } from "./PhotoState.tsx";
import { CardGrid, TaskCard } from "./TaskCard.tsx";

const nothing = () => undefined;

export default {
  component: TaskCard,
  args: {
    task: sample(),
    now: Date.parse("2026-11-21T10:10:00Z"),
    onCancel: nothing,
    onRetry: nothing,
    onOpen: nothing,
  },
  decorators: [
    (Story) => (
      <CardGrid label="Cards">
        <Story />
      </CardGrid>
    ),
  ],
} satisfies Meta<typeof TaskCard>;
type Story = StoryObj<typeof TaskCard>;

const of = (task: Task): Story => ({ args: { task } });

export const FirstInLine = of(sample());
export const ThirdInLine = of(sample({ queue_position: 3, eta_seconds: 95 }));
export const PlaceNotKnownYet = of(sample({ queue_position: null, eta_seconds: null }));
export const Scheduled = of(sample({ status: "pending", queue_position: 0 }));
export const WaitingForItsPhoto = of(
  sample({ status: "pending", type: "PHOTO_TO_3D", stage: "pending", prompt: null }),
);
const photo = (known: Partial<PhotoOnItsWay> | null): Story => ({
  args: {
    task: sample({ status: "pending", type: "PHOTO_TO_3D", stage: "pending", prompt: null }),
    photo: {
      photo: known && { percent: 42, problem: null, preview: SAMPLE_PICTURE, ...known },
      onChoose: nothing,
      onAgain: nothing,
    },
  },
});
export const SendingItsPhoto = photo({});
export const PhotoCutOff = photo({ problem: { code: "network", detail: "" } });
export const PhotoToBeChosenAgain = photo(null);
export const ProviderInTrouble: Story = {
  args: { reason: { code: "circuit_open", provider: "KIE", until: "2026-11-21T14:03:00Z" } },
};
export const ProviderTakesNoMore: Story = {
  args: { reason: { code: "provider_busy", provider: "KIE", until: null } },
};
export const SubmitUnknown = of(
  runningSample({ metadata: { submit_unknown: { provider: "kie" } }, progress: 0 }),
);
export const MadeByAnother = of(
  completedSample(SAMPLE_PICTURE, { metadata: { substituted_from: "KIE" } }),
);
export const Several = of(
  completedSample(SAMPLE_PICTURE, {
    type: "IMAGE",
    artifacts: [1, 2, 3, 4, 5, 6].flatMap(
      (number) => completedSample(`${SAMPLE_PICTURE}#${number}`).artifacts,
    ),
  }),
);
export const CameLate = of(
  failedSample(
    "timeout",
    "",
    { seconds: 300 },
    { late_artifacts: completedSample(SAMPLE_PICTURE).artifacts },
  ),
);
export const Running = of(runningSample());
export const JustStarted = of(runningSample({ progress: 0, eta_seconds: null }));
export const SecondAttempt = of(runningSample({ attempt: 2 }));
export const BuildingAModel = of(
  runningSample({ type: "PHOTO_TO_3D", stage: "job_created", prompt: null }),
);
export const Completed = of(completedSample(SAMPLE_PICTURE));
export const OnWhite = of(
  completedSample(SAMPLE_PICTURE, { type: "WHITE_BACKGROUND", prompt: null }),
);
export const New: Story = { args: { task: completedSample(SAMPLE_PICTURE), fresh: true } };
export const AModel = of(
  completedSample("/artifacts/model.glb", {
    type: "PHOTO_TO_3D",
    stage: "model_saved",
    artifacts: [
      {
        url: "/artifacts/model.glb",
        content_type: "model/gltf-binary",
        bytes: 2_400_000,
        sha256: "0".repeat(64),
        width: null,
        height: null,
      },
    ],
  }),
);
export const LongPrompt = of(
  completedSample(SAMPLE_PICTURE, {
    prompt: "a very detailed harbour at dawn with forty boats, each of another colour, and gulls",
  }),
);
export const Cancelled = of(
  sample({ status: "cancelled", finished_at: "2026-11-21T10:05:05.000Z" }),
);
export const TimedOut = of(failedSample("timeout", "", { seconds: 300 }));
export const ProviderTimedOut = of(
  failedSample("provider_timeout", "", { provider: "forge", seconds: 180 }),
);
export const ProviderFailed = of(failedSample("provider_error", "The card is out of memory."));
export const ProviderRefused = of(failedSample("provider_rejected", "The paint ran out."));
export const InvalidInput = of(
  failedSample("invalid_input", "A reference picture is no longer there. Upload it again."),
);
export const ProviderResting = of(failedSample("circuit_open", "", { provider: "forge" }));
export const WorkerDied = of(failedSample("internal", "", { provider: "studio", times: 3 }));
export const UnknownFailure = of(failedSample("moon_phase", "Wait for the full moon."));
export const BackgroundNotRemoved = of(
  failedSample(
    "provider_error",
    "Too little contrast.",
    {},
    { type: "PHOTO_TO_3D", stage: "bgr_removal_failed", prompt: null },
  ),
);
export const CancelRefused: Story = {
  args: { task: completedSample(SAMPLE_PICTURE), problem: "It had already ended." },
};
/** Its cancel is on the way. */
export const Busy: Story = { args: { task: runningSample(), busy: true } };
export const WithAReferenceElsewhere = of(
  runningSample({ reference_images: ["https://pictures.example/fox.png"] }),
);
export const WithoutAFile = of(completedSample(SAMPLE_PICTURE, { artifacts: [] }));
