export { queryKeys } from "./keys.ts";
export type { FeedConnection } from "./live-feed.ts";
export {
  type Darkroom,
  DarkroomProvider,
  type DarkroomProviderProps,
  useDarkroom,
} from "./provider.tsx";
export type {
  CreateGenerationTaskInput,
  GenerationTypeOfModel,
  KieImagen4Params,
  KieMidjourneyParams,
  KieSora2Params,
  KieVeo3Params,
  ProviderParams,
  StudioParams,
} from "./provider-params.ts";
export {
  byCreation,
  calculateQueuePosition,
  isWaiting,
  selectAllTasks,
  selectWaitingTasks,
} from "./queue-position.ts";
export type { ActionResult } from "./result.ts";
export { useCancelTask } from "./use-cancel-task.ts";
export {
  type CreatedGenerationTask,
  useCreateGenerationTask,
} from "./use-create-generation-task.ts";
export { useGenerationTasks } from "./use-generation-tasks.ts";
export { useGenerationTypes } from "./use-generation-types.ts";
export { useConnection } from "./use-live.ts";
export { type PhotoOfTask, type PutPhoto, usePutPhoto } from "./use-put-photo.ts";
export { type PlaceInLine, useQueuePosition } from "./use-queue-position.ts";
export { useRetryTask } from "./use-retry-task.ts";
export { useSubmitTask } from "./use-submit-task.ts";
export { type TaskOptions, useTask } from "./use-task.ts";
export { type TaskHistoryFilter, useTaskHistory } from "./use-task-history.ts";
export {
  type TaskRecovery,
  type TaskRecoveryOptions,
  useTaskRecovery,
} from "./use-task-recovery.ts";
export { type UploadedFile, type UploadFile, useUploadFile } from "./use-upload-file.ts";
