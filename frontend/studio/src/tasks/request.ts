/** From what was filled in to what is asked for. Pure. */

import type { GenerationTypeOffer, SubmitTask } from "@darkroom/client";
import { type GenerationPage, TYPES } from "../routes.ts";
import type { Rehearsal, Shape, Slot } from "../strings/strings.ts";
import { chosen, hasShape, type OptionValue, optionsOf, parametersOf } from "./options.ts";

/** What a person can fill in. */
export interface Draft {
  readonly prompt: string;
  readonly shape: Shape | null;
  readonly provider: string | null;
  readonly seed: string;
  readonly rehearsal: Rehearsal;
  /** Of the options that the provider announced, those that were chosen. */
  readonly options: Readonly<Record<string, OptionValue>>;
}

export const BLANK: Draft = {
  prompt: "",
  shape: null,
  provider: null,
  seed: "",
  rehearsal: "none",
  options: {},
};

const SHAPES: Record<Shape, { width: number; height: number }> = {
  landscape: { width: 1024, height: 768 },
  square: { width: 1024, height: 1024 },
  portrait: { width: 768, height: 1024 },
};

interface Wording {
  /** Whether a prompt is asked for at all, and whether it may be left out. */
  readonly prompt: "required" | "optional" | "none";
  /** What the pictures are for, in their order; the last one stands for all that follow. */
  readonly slots: readonly Slot[];
}

export const WORDING: Record<GenerationPage, Wording> = {
  create: { prompt: "required", slots: ["reference"] },
  image: { prompt: "required", slots: ["reference"] },
  "white-background": { prompt: "none", slots: ["subject"] },
  "clothing-change": { prompt: "optional", slots: ["person", "garment"] },
  "photo-to-3d": { prompt: "none", slots: ["subject"] },
  video: { prompt: "required", slots: ["start", "reference"] },
};

export function slotOf(page: GenerationPage, index: number): Slot {
  const { slots } = WORDING[page];
  return slots[Math.min(index, slots.length - 1)] ?? "reference";
}

/** The fewest and most pictures; a photo is what a 3D model is made of, whatever the API allows. */
export function pictureBounds(
  page: GenerationPage,
  offer: GenerationTypeOffer | null,
): readonly [number, number] {
  const fewest =
    page === "photo-to-3d" ? 1 : (offer?.min_references ?? (isPhotoPage(page) ? 1 : 0));
  return [fewest, offer?.max_references ?? WORDING[page].slots.length];
}

/** Whether a page begins with a photo rather than with words. */
export function isPhotoPage(page: GenerationPage): boolean {
  return WORDING[page].prompt !== "required";
}

export interface Picture {
  /** `unanswered`: it did not arrive, and may be sent again; `kept`: it is sent with the task. */
  readonly state: "kept" | "uploading" | "done" | "refused" | "unanswered";
  readonly url: string | null;
}

export type Missing = "prompt" | "picture" | "upload" | "refused" | "unanswered";

/** What is still missing before it can be sent; null when nothing is. */
export function missing(
  page: GenerationPage,
  draft: Draft,
  pictures: readonly Picture[],
  fewest: number,
): Missing | null {
  if (WORDING[page].prompt === "required" && draft.prompt.trim() === "") return "prompt";
  if (pictures.some((each) => each.state === "refused")) return "refused";
  if (pictures.some((each) => each.state === "unanswered")) return "unanswered";
  if (pictures.length < fewest) return "picture";
  if (pictures.some((each) => each.state === "uploading")) return "upload";
  return null;
}

/** Whether a photo is sent to the task itself, once that is there: its upload is the first step. */
export function isSentToTask(page: GenerationPage): boolean {
  return page === "photo-to-3d";
}

/** The request; `refusal` is the message of a failure that was asked for. */
export function requestOf(
  page: GenerationPage,
  draft: Draft,
  pictures: readonly Picture[],
  offer: GenerationTypeOffer | null,
  refusal: string,
): SubmitTask {
  const takes = parametersOf(offer, draft.provider);
  const prompt = draft.prompt.trim();
  const seed = /^\d{1,15}$/.test(draft.seed.trim()) ? Number(draft.seed) : null;
  const simulate = rehearse(draft.rehearsal, refusal);
  return {
    type: TYPES[page],
    ...(prompt !== "" && { prompt }),
    reference_images: pictures.flatMap((each) => (each.url === null ? [] : [each.url])),
    provider_params: {
      ...(draft.provider !== null && { service: draft.provider }),
      ...(draft.shape !== null && hasShape(takes) && SHAPES[draft.shape]),
      ...chosen(optionsOf(offer, draft.provider), draft.options),
      ...(seed !== null && takes.has("seed") && { seed }),
      ...(simulate !== null && takes.has("simulate") && { simulate }),
    },
  };
}

function rehearse(rehearsal: Rehearsal, refusal: string): Record<string, unknown> | null {
  switch (rehearsal) {
    case "none":
      return null;
    case "slow":
      return { seconds: 20 };
    case "flaky":
      return { flaky: 1 };
    case "fail":
      return { fail: refusal };
    case "crash":
      return { crash: true };
    case "hang":
      return { hang: true };
    default:
      return { fail_at: rehearsal };
  }
}
