import { type Problem, ProblemError } from "@darkroom/client";

/** What came of an action: done, or refused with a message for the user. */
export type ActionResult<Data> =
  | { readonly success: true; readonly data: Data }
  | { readonly success: false; readonly error: string; readonly problem: Problem };

/** The gateway's "no" is a result; that nobody answered stays an error. */
export async function resultOf<Data>(action: Promise<Data>): Promise<ActionResult<Data>> {
  try {
    return { success: true, data: await action };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return { success: false, error: error.message, problem: error as Problem };
  }
}
