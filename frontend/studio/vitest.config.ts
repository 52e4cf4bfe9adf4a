import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The client is taken from its source, so that no test sees an old build.
const conditions = ["darkroom-source"];

export default defineConfig({
  plugins: [react()],
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "studio",
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    isolate: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
