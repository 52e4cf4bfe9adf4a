import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";

const BUDGET_BYTES = 6 * 1024;
const source = fileURLToPath(new URL("../src", import.meta.url));

/** What a bundle with these names of the client weighs, minified. */
async function bundled(names: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./index.ts"`, resolveDir: source },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return (outputFiles[0] as { contents: Uint8Array }).contents;
}

describe("how much the client weighs", () => {
  test("all of it stays within 6 kB, gzipped", async () => {
    const all = await bundled("*");

    expect(gzipSync(all).byteLength).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(new TextDecoder().decode(all)).toContain("/tasks/processing");
  });

  test("who needs a part pays for that part", async () => {
    expect((await bundled("{ isTerminal }")).byteLength).toBeLessThan(120);
  });
});
