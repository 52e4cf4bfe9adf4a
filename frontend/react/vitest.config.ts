import { defineConfig } from "vitest/config";

// The client is taken from its source, so that no test sees an old build.
const conditions = ["darkroom-source"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "react",
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    // Every test makes its own page and gateway; a fresh set of modules for each file costs more.
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
    typecheck: { enabled: true, include: ["tests/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
  },
});
