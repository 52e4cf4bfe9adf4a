import { beforeEach, expect, test } from "vitest";
import { knownTasks } from "../src/known-tasks.ts";

beforeEach(() => localStorage.clear());

test("what was somebody else's is forgotten, in memory and in storage, and nothing beside it", () => {
  const known = knownTasks(localStorage);
  known.add("CREATE", ["a"]);
  known.add("VIDEO", ["b"]);
  localStorage.setItem("another page's", "kept");

  known.clear();

  expect([known.list("CREATE"), known.list("VIDEO")]).toEqual([[], []]);
  expect(knownTasks(localStorage).list("CREATE")).toEqual([]);
  expect(localStorage.getItem("another page's")).toBe("kept");
});

test("what is only in memory is forgotten as well", () => {
  const known = knownTasks(null);
  known.add("CREATE", ["a"]);
  known.clear();
  expect(known.list("CREATE")).toEqual([]);
});
