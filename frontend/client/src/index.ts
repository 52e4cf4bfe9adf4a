export { STAGES } from "./generated/names.ts";
export type * from "./types.ts";
