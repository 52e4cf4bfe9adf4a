import { describe, expect, test } from "vitest";
import { persistently } from "../src/later.ts";

function failing(times: number) {
  let asked = 0;
  const load = async () => {
    asked += 1;
    if (asked <= times) throw new Error("cut off");
    return "the part";
  };
  return { load, asked: () => asked };
}

describe("a part of the page that comes later", () => {
  test("is asked for again for as long as nobody answers", async () => {
    const part = failing(5);
    expect(await persistently(part.load, async () => false, 0)).toBe("the part");
    expect(part.asked()).toBe(6);
  });

  test("is given up when the server answers and it still is not there", async () => {
    const part = failing(5);
    await expect(persistently(part.load, async () => true, 0)).rejects.toThrow("cut off");
    expect(part.asked()).toBe(2);
  });

  test("may be missed once by a server that is just back", async () => {
    const part = failing(2);
    const answers = [false, true];
    expect(await persistently(part.load, async () => answers.shift() ?? true, 0)).toBe("the part");
  });
});
