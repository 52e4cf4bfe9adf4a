import { describe, expect, test } from "vitest";
import { chosen, hasShape, optionsOf, parametersOf, wordsOf } from "../src/tasks/options.ts";
import { sampleOffer, sampleProvider } from "../src/tasks/sample.ts";

const offerOf = (properties: Record<string, unknown>) =>
  sampleOffer({ providers: [sampleProvider({ params_schema: { properties } })] });
const options = (properties: Record<string, unknown>) => optionsOf(offerOf(properties), null);

describe("the options of a provider", () => {
  test.each([
    [{ enum: ["1:1", "16:9"] }, { kind: "choice", values: ["1:1", "16:9"] }],
    [{ type: "boolean" }, { kind: "choice", values: [true, false] }],
    [
      { type: "integer", minimum: 1, maximum: 3 },
      { kind: "choice", values: [1, 2, 3] },
    ],
    [
      { type: "integer", minimum: 1, maximum: 50 },
      { kind: "number", least: 1, most: 50 },
    ],
    [{ type: "number" }, { kind: "number", least: null, most: null }],
    [
      { type: "string", maxLength: 100 },
      { kind: "text", longest: 100 },
    ],
    [
      { anyOf: [{ type: "integer", minimum: 1, maximum: 2 }, { type: "string" }] },
      { kind: "choice", values: [1, 2] },
    ],
  ])("are read from %j", (schema, expected) => {
    expect(options({ speed: schema })).toEqual([{ name: "speed", title: null, ...expected }]);
  });

  test("leave out what has a field of its own, is no choice, or is more than a value", () => {
    const left = {
      seed: { type: "integer" },
      service: {},
      input: { type: "object" },
      a: { enum: [1] },
    };
    expect(options({ ...left, odd: true })).toEqual([]);
  });

  test("are those of the provider that was chosen", () => {
    const other = sampleProvider({
      name: "FORGE",
      params_schema: { properties: { steps: { type: "number", title: "Steps" } } },
    });
    const offer = sampleOffer({ providers: [sampleProvider({ params_schema: {} }), other] });
    expect(optionsOf(offer, "FORGE").map(({ title }) => title)).toEqual(["Steps"]);
    expect([...parametersOf(offer, "FORGE")]).toEqual(["steps"]);
    expect([optionsOf(offer, null), optionsOf(null, null)]).toEqual([[], []]);
  });
});

test("a provider with an option for the shape is not asked for sides", () => {
  expect(hasShape(new Set(["width", "height"]))).toBe(true);
  expect(hasShape(new Set(["width", "height", "aspect_ratio"]))).toBe(false);
  expect(hasShape(new Set(["width"]))).toBe(false);
});

test("only what the provider takes is sent", () => {
  const taken = options({
    ratio: { enum: ["1:1", "16:9"] },
    steps: { type: "integer", minimum: 1, maximum: 50 },
    style: { type: "string" },
  });
  expect(chosen(taken, { ratio: "16:9", steps: 20, style: "ink", model: "old" })).toEqual({
    ratio: "16:9",
    steps: 20,
    style: "ink",
  });
  expect(chosen(taken, { ratio: "4:3", steps: 51, style: "" })).toEqual({});
});

test("a parameter without a title is called by its name", () => {
  expect(["negative_prompt", "aspectRatio", "n"].map(wordsOf)).toEqual([
    "Negative prompt",
    "Aspect ratio",
    "N",
  ]);
});
