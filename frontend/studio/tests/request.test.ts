import { describe, expect, test } from "vitest";
import { BLANK, missing, pictureBounds, requestOf, slotOf } from "../src/tasks/request.ts";
import { sampleOffer, sampleProvider } from "../src/tasks/sample.ts";

const done = { state: "done", url: "http://127.0.0.1:8400/uploads/1" } as const;

describe("what is missing", () => {
  test.each([
    ["create", "", [], 0, "prompt"],
    ["create", "  ", [], 0, "prompt"],
    ["create", "a fox", [], 0, null],
    ["create", "a fox", [{ state: "uploading", url: null }], 0, "upload"],
    ["create", "a fox", [{ state: "refused", url: null }], 0, "refused"],
    ["create", "a fox", [{ state: "unanswered", url: null }], 0, "unanswered"],
    ["white-background", "", [], 1, "picture"],
    ["white-background", "", [done], 1, null],
    ["white-background", "", [{ state: "refused", url: null }], 1, "refused"],
    ["clothing-change", "", [done], 1, null],
  ] as const)("on %s with %j", (page, prompt, pictures, fewest, expected) => {
    expect(missing(page, { ...BLANK, prompt }, pictures, fewest)).toBe(expected);
  });
});

describe("the request", () => {
  test("has what was filled in, and nothing else", () => {
    const draft = { ...BLANK, prompt: " a fox " };
    expect(requestOf("create", draft, [], sampleOffer(), "")).toEqual({
      type: "CREATE",
      prompt: "a fox",
      reference_images: [],
      provider_params: {},
    });
  });

  test("leaves the prompt out where there is none", () => {
    expect(requestOf("white-background", BLANK, [done], null, "")).toEqual({
      type: "WHITE_BACKGROUND",
      reference_images: [done.url],
      provider_params: {},
    });
  });

  test("gives a provider the options that it announced", () => {
    const draft = {
      ...BLANK,
      prompt: "a fox",
      shape: "portrait",
      seed: "42",
      rehearsal: "fail",
    } as const;
    expect(requestOf("create", draft, [], sampleOffer(), "asked for").provider_params).toEqual({
      width: 768,
      height: 1024,
      seed: 42,
      simulate: { fail: "asked for" },
    });
  });

  test("spares a provider what it does not know", () => {
    const other = sampleProvider({ name: "FORGE", params_schema: { properties: { seed: {} } } });
    const offer = sampleOffer();
    const two = { ...offer, providers: [...offer.providers, other] };
    const draft = {
      ...BLANK,
      prompt: "a fox",
      provider: "FORGE",
      shape: "square",
      seed: "7",
      rehearsal: "hang",
    } as const;
    expect(requestOf("create", draft, [], two, "").provider_params).toEqual({
      service: "FORGE",
      seed: 7,
    });
  });
});

describe("pictures", () => {
  test("are as many as the server says", () => {
    const offer = sampleOffer({ min_references: 1, max_references: 2 });
    expect(pictureBounds("clothing-change", offer)).toEqual([1, 2]);
  });

  test("are needed for a model, though the API lets the photo come later", () => {
    const offer = sampleOffer({ min_references: 0, max_references: 1 });
    expect(pictureBounds("photo-to-3d", offer)).toEqual([1, 1]);
  });

  test("have their parts in order", () => {
    expect([0, 1, 2].map((index) => slotOf("clothing-change", index))).toEqual([
      "person",
      "garment",
      "garment",
    ]);
  });
});
