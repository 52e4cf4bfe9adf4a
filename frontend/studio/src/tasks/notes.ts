/** What there is to know of a task beside its state: why it waits, who stood in, what came late. Pure. */

import type { Artifact } from "@darkroom/client";
import type { Strings } from "../strings/strings.ts";
import type { Formats } from "./formats.ts";
import { isLive, phaseOf, type Task } from "./task.ts";

/** Why it stands still: its provider isn't asked, or an operator has to look at it. */
export type Reason = NonNullable<Task["waiting_for"]> | typeof ON_HOLD;

export const ON_HOLD = "on_hold";

/** Whether an operator has to look at it before it goes on. */
export function isOnHold(task: Task, reason: Reason | null = null): boolean {
  if (!isLive(task)) return false;
  const parked = task.metadata.parked;
  const told = typeof parked === "object" && parked !== null && "since" in parked;
  return told || reason === ON_HOLD;
}

/** The reason in words, while the task waits. */
export function reasonText(
  task: Task,
  reason: Reason | null,
  { tasks }: Strings,
  formats: Formats,
): string | null {
  const told = reason ?? task.waiting_for;
  if (told === null || told === ON_HOLD || phaseOf(task) !== "waiting") return null;
  const { code, provider, until } = told;
  const time = until === null ? null : formats.time(until);
  return tasks.heldBack[code]({ provider, time });
}

/** Who did it, where that isn't who was meant to. */
export function substitutionText({ provider, metadata }: Task, { tasks }: Strings): string | null {
  const instead = metadata.substituted_from;
  if (typeof instead !== "string" || provider === null) return null;
  return tasks.substituted(provider.toUpperCase(), instead.toUpperCase());
}

/** Whether somebody is being asked if they took the task. */
export function checkingText(task: Task, { tasks }: Strings): string | null {
  const unknown = task.metadata.submit_unknown;
  if (!isLive(task) || typeof unknown !== "object" || unknown === null) return null;
  const provider: unknown = Reflect.get(unknown, "provider");
  return typeof provider === "string" ? tasks.checkingSubmit(provider.toUpperCase()) : null;
}

/** What it made, in time or late. */
export function artifactsOf({ artifacts, late_artifacts }: Task): readonly Artifact[] {
  return artifacts.length > 0 ? artifacts : late_artifacts;
}

/** Whether what it made came after its end. */
export function isLate(task: Task): boolean {
  return task.artifacts.length === 0 && task.late_artifacts.length > 0;
}
