import { describe, expect, test } from "vitest";
import { type ProviderParams, requestOf } from "../src/provider-params.ts";

const prompt = "A beautiful sunset";

describe("the request for a task of a prompt", () => {
  test.each<[string, ProviderParams]>([
    ["IMAGE", { service: "KIE", model: "IMAGEN4", apiModel: "google/imagen4", input: { prompt } }],
    [
      "IMAGE",
      {
        service: "KIE",
        model: "MIDJOURNEY",
        apiModel: "midjourney",
        input: { prompt, taskType: "mj_txt2img" },
      },
    ],
    ["VIDEO", { service: "KIE", model: "VEO3", apiModel: "veo3", input: { prompt } }],
    [
      "VIDEO",
      { service: "KIE", model: "SORA2", apiModel: "sora-2-text-to-video", input: { prompt } },
    ],
  ])(
    "%s, with the prompt of the input and the parameters as they are: %o",
    (type, providerParams) => {
      expect(requestOf({ promptId: "p1", providerParams })).toEqual({
        type,
        prompt,
        prompt_id: "p1",
        provider_params: providerParams,
      });
    },
  );

  test("the studio takes its parameters flat, without the prompt", () => {
    const input = { prompt, seed: 7, simulate: { seconds: 2 } };

    expect(
      requestOf({ promptId: "p1", providerParams: { service: "STUDIO", model: "STUDIO", input } }),
    ).toEqual({
      type: "CREATE",
      prompt,
      prompt_id: "p1",
      provider_params: { service: "STUDIO", seed: 7, simulate: { seconds: 2 } },
    });
  });
});
