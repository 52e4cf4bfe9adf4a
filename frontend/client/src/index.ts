export { type Client, createClient, type HistoryFilter, type SubmitOptions } from "./client.ts";
export {
  AnswerError,
  type DarkroomError,
  isDarkroomError,
  isPassing,
  isTransient,
  NetworkError,
  type Problem,
  ProblemError,
} from "./errors.ts";
export type { Connection, FollowOptions, QueuePosition, TaskUpdate } from "./follow.ts";
export { STAGES } from "./generated/names.ts";
export type { CallOptions, ClientOptions } from "./http.ts";
export { newKey } from "./key.ts";
export { isTerminal, newer } from "./tasks.ts";
export type * from "./types.ts";
export type { UploadOptions, UploadProgress } from "./upload.ts";
