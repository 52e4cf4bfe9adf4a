import type { PromptTask, Task } from "@darkroom/client";
import { describe, expectTypeOf, test } from "vitest";
import {
  type ActionResult,
  type CreateGenerationTaskInput,
  type GenerationTypeOfModel,
  type KieImagen4Params,
  type KieSora2Params,
  type ProviderParams,
  queryKeys,
  type StudioParams,
  type TaskRecovery,
  type UploadedFile,
  useCreateGenerationTask,
  useGenerationTasks,
  useQueuePosition,
  useTaskRecovery,
  useUploadFile,
} from "../src/index.ts";

describe("types", () => {
  test("provider parameters are told apart by service and model", () => {
    expectTypeOf<ProviderParams["service"]>().toEqualTypeOf<"KIE" | "STUDIO">();
    expectTypeOf<ProviderParams["model"]>().toEqualTypeOf<
      "IMAGEN4" | "VEO3" | "MIDJOURNEY" | "SORA2" | "STUDIO"
    >();
    expectTypeOf<Extract<ProviderParams, { model: "IMAGEN4" }>>().toEqualTypeOf<KieImagen4Params>();
    expectTypeOf<Extract<ProviderParams, { service: "STUDIO" }>>().toEqualTypeOf<StudioParams>();

    function frames(params: ProviderParams): string | undefined {
      if (params.model !== "SORA2") return undefined;
      expectTypeOf(params).toEqualTypeOf<KieSora2Params>();
      return params.input.n_frames;
    }
    expectTypeOf(frames).returns.toEqualTypeOf<string | undefined>();
  });

  test("what one model takes, another does not", () => {
    const create = useCreateGenerationTask().mutate;
    create({
      promptId: "p1",
      providerParams: {
        service: "KIE",
        model: "IMAGEN4",
        apiModel: "google/imagen4-fast",
        input: { prompt: "A beautiful sunset", aspect_ratio: "16:9", num_images: "4" },
      },
    });
    type Kie<Model, ApiModel, Input> = {
      service: "KIE";
      model: Model;
      apiModel: ApiModel;
      input: Input;
    };
    type Prompt = { prompt: string };
    expectTypeOf<Kie<"SORA2", "sora-2-text-to-video", Prompt>>().toExtend<ProviderParams>();
    expectTypeOf<Kie<"SORA2", "veo3", Prompt>>().not.toExtend<ProviderParams>();
    expectTypeOf<Kie<"IMAGEN4", "veo3", Prompt>>().not.toExtend<ProviderParams>();
    expectTypeOf<Kie<"MIDJOURNEY", "midjourney", Prompt>>().not.toExtend<ProviderParams>();
    expectTypeOf<Kie<"VEO3", "veo3", object>>().not.toExtend<ProviderParams>();
    expectTypeOf<KieSora2Params["input"]>().not.toHaveProperty("negative_prompt");
  });

  test("every model has the type of what it makes", () => {
    expectTypeOf<GenerationTypeOfModel>().toEqualTypeOf<"IMAGE" | "VIDEO" | "CREATE">();
    expectTypeOf<CreateGenerationTaskInput["providerParams"]>().toEqualTypeOf<ProviderParams>();
  });

  test("a result has data or an error, never both", () => {
    type Result = NonNullable<ReturnType<typeof useCreateGenerationTask>["data"]>;
    expectTypeOf<Extract<Result, { success: true }>["data"]["id"]>().toBeString();
    expectTypeOf<Extract<Result, { success: false }>["error"]>().toBeString();
    expectTypeOf<Extract<Result, { success: false }>>().not.toHaveProperty("data");
    expectTypeOf(useUploadFile().data).toEqualTypeOf<ActionResult<UploadedFile> | undefined>();
  });

  test("what the hooks give", () => {
    expectTypeOf(useGenerationTasks("p1").data).toEqualTypeOf<PromptTask[] | undefined>();
    expectTypeOf(useTaskRecovery("CREATE")).toEqualTypeOf<TaskRecovery>();
    expectTypeOf<TaskRecovery["tasks"]>().toEqualTypeOf<readonly Task[]>();
    expectTypeOf(useQueuePosition("a").position).toEqualTypeOf<number | null>();
  });

  test("the keys are what they are", () => {
    expectTypeOf(queryKeys.generationTasks.byPrompt("p1")).toEqualTypeOf<
      readonly ["generation-tasks", string]
    >();
  });
});
