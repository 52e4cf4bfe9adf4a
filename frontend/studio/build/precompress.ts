import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const SMALLEST = 1024;
const TEXT = /\.(js|css|html|svg|json|txt)$/;

/** Writes each text file a second and third time, as brotli and gzip: the gateway only sends. */
export function precompress(): Plugin {
  return {
    name: "darkroom:precompress",
    apply: "build",
    async writeBundle({ dir }, bundle) {
      const names = Object.keys(bundle).filter((name) => TEXT.test(name));
      await Promise.all(
        names.map(async (name) => {
          const path = join(dir ?? "", name);
          const content = await readFile(path);
          if (content.length < SMALLEST) return;
          const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
          await writeFile(`${path}.br`, brotliCompressSync(content, { params }));
          await writeFile(`${path}.gz`, gzipSync(content, { level: 9 }));
        }),
      );
    },
  };
}
