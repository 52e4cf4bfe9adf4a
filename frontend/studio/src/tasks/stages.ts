/** From a stage to the steps that a person sees. Pure. */

import type { PhotoTo3dStage, PictureStage } from "@darkroom/client";
import {
  Box,
  Brush,
  Check,
  CircleAlert,
  Hourglass,
  ImageOff,
  ImageUp,
  type LucideIcon,
  PackageX,
  Save,
  SaveOff,
  Scissors,
  ScissorsLineDashed,
  Send,
  Unplug,
} from "lucide-react";
import type { KnownStage } from "./known.ts";

export type StepState = "done" | "current" | "todo" | "failed";

export interface Step {
  readonly stage: KnownStage;
  readonly icon: LucideIcon;
  readonly state: StepState;
}

interface Place {
  /** Which of the steps of the pipeline it belongs to. */
  readonly step: number;
  readonly icon: LucideIcon;
}

/** Where each of the eleven stages stands; a failure stands at the step that failed. */
export const PHOTO_TO_3D: Record<PhotoTo3dStage, Place> = {
  pending: { step: 0, icon: Hourglass },
  uploaded: { step: 0, icon: ImageUp },
  bgr_removed: { step: 1, icon: Scissors },
  job_created: { step: 2, icon: Send },
  model_generated: { step: 3, icon: Box },
  model_saved: { step: 4, icon: Save },
  upload_failed: { step: 0, icon: ImageOff },
  bgr_removal_failed: { step: 1, icon: ScissorsLineDashed },
  job_creation_failed: { step: 2, icon: Unplug },
  model_generation_failed: { step: 3, icon: PackageX },
  model_saving_failed: { step: 4, icon: SaveOff },
};

const PHOTO_STEPS: readonly PhotoTo3dStage[] = [
  "uploaded",
  "bgr_removed",
  "job_created",
  "model_generated",
  "model_saved",
];

const IMAGE_ICONS: Record<PictureStage, LucideIcon> = {
  queued: Hourglass,
  generating: Brush,
  saving: Save,
};
const IMAGE_STEPS: readonly PictureStage[] = ["queued", "generating", "saving"];

export function isPhotoTo3dStage(stage: string): stage is PhotoTo3dStage {
  return Object.hasOwn(PHOTO_TO_3D, stage);
}

interface Staged {
  readonly type: string;
  readonly status: string;
  readonly stage: string;
}

/** The steps of a task, each done, current, to come or failed; none for a type not known here. */
export function stepsOf({ type, status, stage }: Staged): readonly Step[] {
  if (type === "PHOTO_TO_3D" && isPhotoTo3dStage(stage)) return photoSteps(stage, status);
  const at = (IMAGE_STEPS as readonly string[]).indexOf(stage);
  if (at === -1) return [];
  return IMAGE_STEPS.map((each, index) => ({
    stage: each,
    icon: IMAGE_ICONS[each],
    state: stateAt(index, at, status),
  }));
}

function photoSteps(stage: PhotoTo3dStage, status: string): readonly Step[] {
  const here = PHOTO_TO_3D[stage];
  // A stage says what has been reached: what is being worked on is the one after it.
  const reached = stage === "pending" || status === "failed" ? here.step : here.step + 1;
  return PHOTO_STEPS.map((each, index) => {
    const state = stateAt(index, reached, status);
    const failed = state === "failed" || (status === "failed" && index === reached);
    return {
      stage: failed ? stage : each,
      icon: failed ? here.icon : PHOTO_TO_3D[each].icon,
      state,
    };
  });
}

function stateAt(index: number, at: number, status: string): StepState {
  if (status === "completed" || index < at) return "done";
  if (index > at) return "todo";
  if (status === "failed" || status === "cancelled") return "failed";
  return "current";
}

/** The icon of a failed stage, where it has one of its own. */
export function failedStageIcon(stage: string): LucideIcon | null {
  return isPhotoTo3dStage(stage) && stage.endsWith("_failed") ? PHOTO_TO_3D[stage].icon : null;
}

export const DONE_ICON = Check;
export const FAILED_ICON = CircleAlert;
