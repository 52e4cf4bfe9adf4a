export { queryKeys } from "./keys.ts";
