/** Tasks to show and to test with: one that waits, changed as told. */

import type { GenerationTypeOffer, ProviderOffer } from "@darkroom/client";
import type { Task } from "./task.ts";

export function sample(changes: Partial<Task> = {}): Task {
  return {
    task_id: "0199f0c2-0000-7000-8000-000000000001",
    type: "CREATE",
    prompt_id: null,
    status: "processing",
    stage: "queued",
    progress: 0,
    queue_position: 1,
    waiting_for: null,
    eta_seconds: 12,
    attempt: 0,
    prompt: "a red bicycle by the sea at sunset",
    reference_images: [],
    provider_params: {},
    provider: null,
    external_task_id: null,
    image_url: null,
    artifacts: [],
    late_artifacts: [],
    error: null,
    error_msg: null,
    metadata: {},
    created_at: "2026-11-21T10:00:00.000Z",
    started_at: null,
    updated_at: "2026-11-21T10:00:00.000Z",
    finished_at: null,
    sequence: 1,
    ...changes,
  };
}

/** One that runs. */
export function runningSample(changes: Partial<Task> = {}): Task {
  return sample({
    stage: "generating",
    progress: 42,
    queue_position: 0,
    attempt: 1,
    provider: "studio",
    started_at: "2026-11-21T10:00:05.000Z",
    ...changes,
  });
}

/** One that has its picture. */
export function completedSample(url: string, changes: Partial<Task> = {}): Task {
  return runningSample({
    status: "completed",
    stage: "saving",
    progress: 100,
    eta_seconds: null,
    finished_at: "2026-11-21T10:00:17.000Z",
    image_url: url,
    artifacts: [
      {
        url,
        content_type: "image/png",
        bytes: 734_003,
        sha256: "0".repeat(64),
        width: 1024,
        height: 768,
      },
    ],
    ...changes,
  });
}

/** One that failed. */
export function failedSample(
  code: string,
  message: string,
  params: Record<string, unknown> = {},
  changes: Partial<Task> = {},
): Task {
  return runningSample({
    status: "failed",
    progress: 0,
    eta_seconds: null,
    finished_at: "2026-11-21T10:05:05.000Z",
    error: { code, message, retryable: true, attempts: 1, params },
    error_msg: message,
    ...changes,
  });
}

export function sampleOffer(changes: Partial<GenerationTypeOffer> = {}): GenerationTypeOffer {
  return {
    type: "CREATE",
    title: "Picture from a prompt",
    stages: ["queued", "generating", "saving"],
    prompt_required: true,
    min_references: 0,
    max_references: 16,
    default_provider: "STUDIO",
    fallbacks: [],
    providers: [sampleProvider()],
    ...changes,
  };
}

/** One that is well. */
export function sampleProvider(changes: Partial<ProviderOffer> = {}): ProviderOffer {
  return {
    name: "STUDIO",
    title: "Studio",
    execution: "local",
    params_schema: {
      type: "object",
      properties: { width: {}, height: {}, seed: {}, simulate: {}, service: {} },
    },
    healthy: true,
    breaker: { state: "closed", failures: 0, until: null },
    finished: 0,
    success_rate: null,
    p50_s: null,
    p95_s: null,
    ...changes,
  };
}
