import type { Problems } from "./generated/names.ts";
import type { FieldError, ProblemCode } from "./types.ts";

/** The gateway's "no": an answer in `application/problem+json`. `code` says which. */
export class ProblemError<Code extends ProblemCode = ProblemCode> extends Error {
  override readonly name = "ProblemError";
  readonly code: Code;
  readonly status: Problems[Code];
  readonly title: string;
  /** Where the request is wrong, for a `422`. */
  readonly errors: readonly FieldError[];
  /** When to ask again, where the gateway told. */
  readonly retryAfterS: number | null;
  /** What else the problem tells, such as the `task_id` of an `outcome_unknown`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(body: ProblemBody<Code>, retryAfterS: number | null = null) {
    super(body.detail);
    this.code = body.code;
    this.status = body.status;
    this.title = body.title;
    this.errors = body.errors ?? [];
    this.retryAfterS = retryAfterS;
    this.members = body;
  }
}

/** The body of a problem. */
export interface ProblemBody<Code extends ProblemCode = ProblemCode> {
  readonly code: Code;
  readonly status: Problems[Code];
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[] | null;
  readonly [member: string]: unknown;
}

/** No answer: offline, refused, cut off, or none in time. Whether anything happened is unknown. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code = "network";
}

/** An answer that is not the gateway's, as of a proxy before it. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  readonly code = "unexpected_answer";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A problem; `switch (problem.code)` knows every one. */
export type Problem = { [Code in ProblemCode]: ProblemError<Code> }[ProblemCode];

/**
 * Everything that a call of the client rejects with, told apart by `code`; beside it only the
 * reason of one's own `AbortSignal`.
 */
export type DarkroomError = Problem | NetworkError | AnswerError;

/** Whether an error is one of the client's. */
export function isDarkroomError(error: unknown): error is DarkroomError {
  return (
    error instanceof ProblemError || error instanceof NetworkError || error instanceof AnswerError
  );
}

/** Whether the same request may well succeed in a moment. */
export function isTransient(error: unknown): error is DarkroomError {
  if (error instanceof ProblemError) return error.status === 503;
  if (error instanceof AnswerError) return [502, 503, 504].includes(error.status);
  return error instanceof NetworkError;
}

/** Whether it may be over in a while, so that who follows or polls goes on. */
export function isPassing(error: unknown): error is DarkroomError {
  if (isTransient(error)) return true;
  const isAnswer = error instanceof ProblemError || error instanceof AnswerError;
  return isAnswer && [429, 500].includes(error.status);
}

/** The error that an answer tells. */
export function errorOf(
  status: number,
  body: string,
  retryAfter: string | null,
): Problem | AnswerError {
  try {
    const problem: unknown = JSON.parse(body);
    if (isProblem(problem)) return new ProblemError(problem, seconds(retryAfter)) as Problem;
  } catch {
    // It is not JSON, so not the gateway's.
  }
  return new AnswerError(status, `The answer was ${status}, and not from Darkroom.`);
}

function isProblem(body: unknown): body is ProblemBody {
  return (
    typeof body === "object" &&
    body !== null &&
    ["code", "title", "detail"].every((member) => typeof Reflect.get(body, member) === "string")
  );
}

function seconds(retryAfter: string | null): number | null {
  return retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
}
