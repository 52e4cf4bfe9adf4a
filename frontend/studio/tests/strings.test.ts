import { describe, expect, test } from "vitest";
import { en } from "../src/strings/en.ts";
import { pickLanguage, varietyOf } from "../src/strings/language.tsx";
import { tr } from "../src/strings/tr.ts";
import { zh } from "../src/strings/zh.ts";

/** Every text of a catalogue with its path; what is made from values is made from some. */
function texts(of: unknown, path = ""): [string, string][] {
  if (typeof of === "string") return [[path, of]];
  if (typeof of === "function") {
    const values = { message: "message", provider: "forge", seconds: 180, hours: 72, times: 2 };
    const takesValues = path.startsWith(".failures") || path.includes(".heldBack");
    return [[path, String(of(takesValues ? { ...values, time: "14:03" } : 3))]];
  }
  if (typeof of !== "object" || of === null) throw new Error(`${path} is no text`);
  return Object.entries(of).flatMap(([name, part]) => texts(part, `${path}.${name}`));
}

describe.each([
  ["zh", zh],
  ["tr", tr],
])("the catalogue in %s", (_, catalogue) => {
  test("has a text wherever English has one, and none that English has not", () => {
    const empty = (all: [string, string][]) => all.filter(([, text]) => text === "");
    expect(texts(catalogue).map(([path]) => path)).toEqual(texts(en).map(([path]) => path));
    expect(empty(texts(catalogue))).toEqual(empty(texts(en)));
  });

  test("says every failure and refusal in words of its own", () => {
    const english = new Map(texts(en.problems));
    const same = texts(catalogue.problems).filter(([path, text]) => english.get(path) === text);
    expect(same).toEqual([]);
  });
});

describe("the language", () => {
  test("is the first wish that there is", () => {
    expect(pickLanguage(["tr"])).toBe("tr");
    expect(pickLanguage([null, "fr-FR", "zh-Hans-CN", "en"])).toBe("zh");
    expect(pickLanguage(["TR-tr"])).toBe("tr");
    expect(pickLanguage(["fr", "toString"])).toBe("en");
  });

  test("dates and numbers are as in the reader's own part of the world", () => {
    expect(varietyOf("en", ["de-DE", "en-GB", "en-US"])).toBe("en-GB");
    expect(varietyOf("zh", ["tr-TR"])).toBe("zh");
    // Who speaks none of the languages reads English, but not theirs.
    expect(varietyOf("en", ["fr-FR"])).toBe("en");
  });
});
