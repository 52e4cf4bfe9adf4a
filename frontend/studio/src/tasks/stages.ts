/** From a stage to the steps that a person sees. Pure. */

import type { PhotoTo3dStage, PictureStage } from "@darkroom/client";
import {
  Box,
  Brush,
  Check,
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

/** The five steps that a person sees of a photo on its way to a 3D model. */
export type PhotoStep = "uploaded" | "removing" | "queueing" | "generating" | "ready";
export type PhotoFailure = Extract<PhotoTo3dStage, `${string}_failed`>;

/** A name in the catalogue: of a step, or of a stage. */
export type StepName =
  | { readonly of: "photoSteps"; readonly name: PhotoStep }
  | { readonly of: "stages"; readonly name: KnownStage };

export interface Step {
  readonly key: string;
  readonly name: StepName;
  readonly icon: LucideIcon;
  readonly state: StepState;
  /** Whether the task stands here. */
  readonly here: boolean;
}

const PHOTO_STEPS: readonly (readonly [PhotoStep, LucideIcon])[] = [
  ["uploaded", ImageUp],
  ["removing", Scissors],
  ["queueing", Send],
  ["generating", Box],
  ["ready", Save],
];

/** At which of the five steps each of the eleven stages stands. */
export const PHOTO_TO_3D: Record<PhotoTo3dStage, number> = {
  pending: 0,
  uploaded: 1,
  bgr_removed: 2,
  job_created: 3,
  model_generated: 3,
  model_saved: 4,
  upload_failed: 0,
  bgr_removal_failed: 1,
  job_creation_failed: 2,
  model_generation_failed: 3,
  model_saving_failed: 4,
};

/** Each failure has a shape of its own, so that it is told from the others without colour. */
const FAILURE_ICONS: Record<PhotoFailure, LucideIcon> = {
  upload_failed: ImageOff,
  bgr_removal_failed: ScissorsLineDashed,
  job_creation_failed: Unplug,
  model_generation_failed: PackageX,
  model_saving_failed: SaveOff,
};
export const PHOTO_FAILURES = Object.keys(FAILURE_ICONS) as readonly PhotoFailure[];

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
  return IMAGE_STEPS.map((name, index) => ({
    key: name,
    name: { of: "stages", name },
    icon: IMAGE_ICONS[name],
    state: stateAt(index, at, status),
    here: index === at,
  }));
}

function photoSteps(stage: PhotoTo3dStage, status: string): readonly Step[] {
  const at = PHOTO_TO_3D[stage];
  return PHOTO_STEPS.map(([name, icon], index) => {
    const shared = { key: name, state: stateAt(index, at, status), here: index === at };
    // A step that failed says what did.
    return index === at && isPhotoFailure(stage)
      ? { ...shared, name: { of: "stages", name: stage }, icon: FAILURE_ICONS[stage] }
      : { ...shared, name: { of: "photoSteps", name }, icon };
  });
}

function stateAt(index: number, at: number, status: string): StepState {
  if (status === "completed" || index < at) return "done";
  if (index > at) return "todo";
  if (status === "failed" || status === "cancelled") return "failed";
  return "current";
}

export function isPhotoFailure(stage: string): stage is PhotoFailure {
  return Object.hasOwn(FAILURE_ICONS, stage);
}

/** The icon of a failed stage, where it has one of its own. */
export function failedStageIcon(stage: string): LucideIcon | null {
  return isPhotoFailure(stage) ? FAILURE_ICONS[stage] : null;
}

export const DONE_ICON = Check;
