import type { Plugin } from "vite";

/** What the pages need that is not loaded at first; a language is only ever needed by its readers. */
const NEEDED = /\/src\/(pages|components)\//;

/** Tells the page, by `<link rel="ahead">`, which scripts it will need later: see `fetchAhead`. */
export function ahead(): Plugin {
  return {
    name: "darkroom:ahead",
    apply: "build",
    transformIndexHtml(_, { bundle = {} }) {
      const first = new Set<string>();
      const needed = new Set<string>();
      const add = (name: string, to: Set<string>) => {
        const file = bundle[name];
        if (file?.type !== "chunk" || to.has(name)) return;
        to.add(name);
        for (const each of file.imports) add(each, to);
      };
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue;
        if (file.isEntry) add(file.fileName, first);
        else if (NEEDED.test(file.facadeModuleId ?? "")) add(file.fileName, needed);
      }
      return [...needed]
        .filter((name) => !first.has(name))
        .map((name) => ({
          tag: "link",
          attrs: { rel: "ahead", href: `/${name}` },
          injectTo: "head",
        }));
    },
  };
}
