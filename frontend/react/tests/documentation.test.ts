import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as exported from "../src/index.ts";

const source = join(import.meta.dirname, "../src");
const text = readdirSync(source)
  .map((file) => readFileSync(join(source, file), "utf8"))
  .join("\n");

/** The JSDoc right before the declaration of a name. */
function documentation(name: string): string {
  const declared = new RegExp(
    String.raw`/\*\*((?:(?!\*/)[^])*)\*/\s*export (?:async )?(?:function|const) ${name}\b`,
  );
  return declared.exec(text)?.[1] ?? "";
}

const hooks = Object.keys(exported)
  .filter((name) => name.startsWith("use"))
  .sort((one, other) => one.localeCompare(other));

describe("the documentation in the source", () => {
  test.each(hooks)("%s is explained, with an example that uses it", (hook) => {
    const [explanation = "", example = ""] = documentation(hook).split("@example");

    expect(explanation.replace(/[*\s]+/g, " ").length).toBeGreaterThan(30);
    expect(example).toContain(`${hook}(`);
  });

  test("covers every hook there is", () => {
    expect(hooks).toEqual([
      "useCancelTask",
      "useConnection",
      "useCreateGenerationTask",
      "useDarkroom",
      "useGenerationTasks",
      "useGenerationTypes",
      "usePutPhoto",
      "useQueuePosition",
      "useRetryTask",
      "useSubmitTask",
      "useTask",
      "useTaskHistory",
      "useTaskRecovery",
      "useUploadFile",
    ]);
    expect(documentation("noSuchHook")).toBe("");
  });
});
