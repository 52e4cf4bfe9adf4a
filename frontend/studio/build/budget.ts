import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Fails the build when the scripts of the first load are more than `most` bytes, gzipped. */
export function budget(most: number): Plugin {
  return {
    name: "darkroom:budget",
    apply: "build",
    generateBundle(_, bundle) {
      const first = new Set<string>();
      const add = (name: string) => {
        const file = bundle[name];
        if (file?.type !== "chunk" || first.has(name)) return;
        first.add(name);
        for (const each of file.imports) add(each);
      };
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk" && file.isEntry) add(file.fileName);
      }
      const bytes = [...first].reduce((sum, name) => {
        const file = bundle[name];
        return file?.type === "chunk" ? sum + gzipSync(file.code, { level: 9 }).length : sum;
      }, 0);
      const text = `first load: ${(bytes / 1000).toFixed(1)} kB of scripts gzipped, of ${most / 1000} kB`;
      if (bytes > most) this.error(text);
      this.info(text);
    },
  };
}
