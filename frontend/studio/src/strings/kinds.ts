import type { GenerationType } from "@darkroom/client";
import type { Strings } from "./strings.ts";

/** What a type is called; a deployment's own type is called as it is. */
export function kindOf(type: string, strings: Strings): string {
  return Object.hasOwn(strings.types, type) ? strings.types[type as GenerationType] : type;
}
