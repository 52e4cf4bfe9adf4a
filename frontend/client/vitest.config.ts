import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "client",
    include: ["tests/**/*.test.ts"],
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
    typecheck: { enabled: true, include: ["tests/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
  },
});
