/** The words that the server may say and that the catalogue has words for. */

import type { PhotoTo3dStage, PictureStage, ProblemCode } from "@darkroom/client";

export type KnownStage = PictureStage | PhotoTo3dStage;

/** Why a request came to nothing: the codes of the server's problems, and what no server says. */
export type KnownProblem = ProblemCode | "network" | "unexpected_answer";
