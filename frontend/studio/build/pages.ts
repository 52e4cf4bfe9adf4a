import type { Plugin } from "vite";
import { PATHS } from "../src/routes.ts";

/** Tells the gateway at which paths the page is: it serves index.html there and nowhere else. */
export function pages(): Plugin {
  return {
    name: "darkroom:pages",
    apply: "build",
    generateBundle() {
      const source = JSON.stringify(Object.values(PATHS));
      this.emitFile({ type: "asset", fileName: "pages.json", source });
    },
  };
}
