import type { SubmitTask } from "@darkroom/client";

/** Google's Imagen 4, by Kie. */
export interface KieImagen4Params {
  readonly service: "KIE";
  readonly model: "IMAGEN4";
  readonly apiModel: "google/imagen4" | "google/imagen4-fast" | "google/imagen4-ultra";
  readonly input: {
    readonly prompt: string;
    readonly negative_prompt?: string;
    readonly aspect_ratio?: "1:1" | "16:9" | "9:16" | "3:4" | "4:3";
    readonly num_images?: "1" | "2" | "3" | "4";
    readonly seed?: string;
  };
}

/** Google's Veo 3, by Kie. */
export interface KieVeo3Params {
  readonly service: "KIE";
  readonly model: "VEO3";
  readonly apiModel: "veo3" | "veo3_fast";
  readonly input: {
    readonly prompt: string;
    readonly imageUrls?: readonly string[];
    readonly aspect_ratio?: "16:9" | "9:16" | "Auto";
    readonly generationType?:
      | "TEXT_2_VIDEO"
      | "FIRST_AND_LAST_FRAMES_2_VIDEO"
      | "REFERENCE_2_VIDEO";
    readonly seeds?: number;
  };
}

/** Midjourney, by Kie. */
export interface KieMidjourneyParams {
  readonly service: "KIE";
  readonly model: "MIDJOURNEY";
  readonly apiModel: "midjourney";
  readonly input: {
    readonly prompt: string;
    readonly taskType: "mj_txt2img" | "mj_img2img";
    readonly fileUrls?: readonly string[];
    readonly speed?: "relaxed" | "fast" | "turbo";
    readonly aspectRatio?: string;
    readonly version?: string;
    readonly stylization?: number;
  };
}

/** OpenAI's Sora 2, by Kie. */
export interface KieSora2Params {
  readonly service: "KIE";
  readonly model: "SORA2";
  readonly apiModel:
    | "sora-2-text-to-video"
    | "sora-2-image-to-video"
    | "sora-2-pro-text-to-video"
    | "sora-2-pro-image-to-video";
  readonly input: {
    readonly prompt: string;
    readonly image_urls?: readonly string[];
    readonly aspect_ratio?: "landscape" | "portrait";
    readonly n_frames?: "10" | "15";
    readonly remove_watermark?: boolean;
  };
}

/** Darkroom's own studio: real pictures without a key. `simulate` makes trouble, to try things. */
export interface StudioParams {
  readonly service: "STUDIO";
  readonly model: "STUDIO";
  readonly input: {
    readonly prompt: string;
    readonly seed?: number;
    readonly format?: "png" | "webp";
    readonly width?: number;
    readonly height?: number;
    readonly simulate?: {
      readonly seconds?: number;
      readonly fail?: string;
      readonly flaky?: number;
      readonly fail_at?: string;
      readonly hang?: boolean;
      readonly crash?: boolean;
    };
  };
}

/** What to generate with, told apart by `service` and `model`. */
export type ProviderParams =
  | KieImagen4Params
  | KieVeo3Params
  | KieMidjourneyParams
  | KieSora2Params
  | StudioParams;

/** What `useCreateGenerationTask` takes. */
export interface CreateGenerationTaskInput {
  readonly promptId: string;
  readonly providerParams: ProviderParams;
}

/** The generation type that a model makes. */
export type GenerationTypeOfModel = (typeof TYPE_OF_MODEL)[ProviderParams["model"]];

const TYPE_OF_MODEL = {
  IMAGEN4: "IMAGE",
  MIDJOURNEY: "IMAGE",
  VEO3: "VIDEO",
  SORA2: "VIDEO",
  // The studio paints from a prompt, which is what CREATE is.
  STUDIO: "CREATE",
} as const satisfies Record<ProviderParams["model"], string>;

/** The request for a task with these parameters. */
export function requestOf({ promptId, providerParams }: CreateGenerationTaskInput): SubmitTask {
  const { model, input } = providerParams;
  return {
    type: TYPE_OF_MODEL[model],
    prompt: input.prompt,
    prompt_id: promptId,
    provider_params:
      providerParams.service === "STUDIO" ? flat(providerParams) : { ...providerParams },
  };
}

/** The studio takes its parameters as they are, and the prompt from the task. */
function flat({ service, input }: StudioParams): Record<string, unknown> {
  const { prompt: _, ...params } = input;
  return { service, ...params };
}
