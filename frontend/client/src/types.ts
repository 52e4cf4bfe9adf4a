import type { Problems, STAGES } from "./generated/names.ts";
import type { components } from "./generated/openapi.ts";

type Schemas = components["schemas"];

/** A task as its owner sees it. */
export type Task = Schemas["TaskView"];
/** What is asked for with {@link Client.submit}. */
export type SubmitTask = Schemas["SubmitTask"];
/** One page of the history. */
export type TaskPage = Schemas["TaskPage"];
/** An event of a task, with its place in the log. */
export type TaskEvent = Schemas["TaskEvent"];
/** A task of one prompt, in camelCase. */
export type PromptTask = Schemas["PromptTaskView"];
/** A file that was taken in, and until when it is kept. */
export type Upload = Schemas["UploadView"];
/** A result file of a task. */
export type Artifact = Schemas["ArtifactView"];
/** Why a task failed. */
export type TaskError = Schemas["ErrorView"];
/** A kind of task that can be asked for here, and who serves it. */
export type GenerationTypeOffer = Schemas["GenerationTypeView"];
/** Who serves a kind of task: whether it is well, and how it did lately. */
export type ProviderOffer = Schemas["ProviderView"];
/** Whose session it is. */
export type Session = Schemas["SessionView"];
/** For `?token=`, and until when. */
export type Token = Schemas["TokenView"];
/** Where in a request something is wrong, and what. */
export type FieldError = Schemas["FieldError"];

/** `pending` and `processing` go on; the other three never change again. */
export type TaskStatus = Task["status"];
/** A type that every deployment has; one may have more. */
export type GenerationType = keyof typeof STAGES;
/** The stages of a task of that type. */
export type StageOf<Type extends GenerationType> = (typeof STAGES)[Type][number];
/** The eleven stages of a photo on its way to a 3D model. */
export type PhotoTo3dStage = StageOf<"PHOTO_TO_3D">;
/** The stages of a picture or a video. */
export type PictureStage = StageOf<"CREATE">;
/** Why the gateway refused. */
export type ProblemCode = keyof Problems;
