/** Why something did not work, in the reader's words: by code and params, never by guessing. Pure. */

import { isDarkroomError, ProblemError } from "@darkroom/client";
import {
  Ban,
  BatteryWarning,
  CircleSlash,
  ImageOff,
  type LucideIcon,
  PlugZap,
  ServerCrash,
  TimerOff,
  TriangleAlert,
  Unplug,
} from "lucide-react";
import type { FailureCode, FailureValues, Strings } from "../strings/strings.ts";
import { failedStageIcon } from "./stages.ts";
import type { Task } from "./task.ts";

const ICONS: Record<FailureCode, LucideIcon> = {
  timeout: TimerOff,
  provider_timeout: Unplug,
  provider_error: PlugZap,
  provider_rejected: Ban,
  invalid_input: ImageOff,
  circuit_open: BatteryWarning,
  cancelled: CircleSlash,
  internal: ServerCrash,
};

export interface Failure {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly text: string;
}

/** What to tell about a task that failed; a stage that failed has its own icon and name. */
export function failureOf(task: Task, strings: Strings): Failure {
  const error = task.error;
  const code = error !== null && isFailureCode(error.code) ? error.code : null;
  const words = strings.failures[code ?? "unknown"];
  const stageIcon = failedStageIcon(task.stage);
  return {
    icon: stageIcon ?? (code === null ? TriangleAlert : ICONS[code]),
    title: stageIcon === null ? words.title : strings.stages[task.stage as keyof Strings["stages"]],
    text:
      refused(error?.params?.reason, strings) ??
      words.text(valuesOf(error?.message ?? task.error_msg ?? "", error?.params ?? {})),
  };
}

/** The words for a picture that was refused, by the code that an upload of it would have had. */
function refused(reason: unknown, { problems }: Strings): string | null {
  const known: Readonly<Record<string, string>> = problems;
  return typeof reason === "string" && Object.hasOwn(known, reason)
    ? (known[reason] ?? null)
    : null;
}

function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(ICONS, code);
}

function valuesOf(message: string, params: Readonly<Record<string, unknown>>): FailureValues {
  const { provider, seconds, hours, times } = params;
  return {
    message,
    ...(typeof provider === "string" && { provider }),
    ...(typeof seconds === "number" && { seconds }),
    ...(typeof hours === "number" && { hours }),
    ...(typeof times === "number" && { times }),
  };
}

/** What an error says of itself; `problemText` makes words of it. */
export interface ToldProblem {
  readonly code: string;
  readonly detail: string;
  /** When to ask again, where the server told. */
  readonly retryAfterS?: number;
}

export function problemOf(error: unknown): ToldProblem {
  const code = isDarkroomError(error) ? error.code : "unexpected_answer";
  const retryAfterS = error instanceof ProblemError ? error.retryAfterS : null;
  return {
    code,
    detail: error instanceof Error ? error.message : "",
    ...(retryAfterS !== null && { retryAfterS }),
  };
}

/** What to tell about a request that was refused or did not arrive. */
export function problemText(
  { code, detail, retryAfterS }: Partial<ToldProblem> & { readonly code: string },
  strings: Strings,
): string {
  if (code === "queue_full" && retryAfterS !== undefined) return strings.queueFull(retryAfterS);
  const known: Readonly<Record<string, string>> = strings.problems;
  const text = Object.hasOwn(known, code) ? known[code] : undefined;
  return text ?? detail ?? strings.problems.unexpected_answer;
}
