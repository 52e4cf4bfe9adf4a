import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { ahead } from "./build/ahead.ts";
import { budget } from "./build/budget.ts";
import { modelViewer } from "./build/model-viewer.ts";
import { pages } from "./build/pages.ts";
import { precompress } from "./build/precompress.ts";

const API = process.env.DARKROOM_URL ?? "http://127.0.0.1:8400";
const CALLS = "^/(tasks|uploads|artifacts|generation-types|events|ws|api|healthz|readyz|metrics)";

export default defineConfig({
  plugins: [react(), modelViewer(), pages(), ahead(), budget(200_000), precompress()],
  resolve: { conditions: ["darkroom-source", "module", "browser", "development|production"] },
  build: {
    outDir: "../../services/gateway/src/gateway/studio_build",
    emptyOutDir: true,
    target: "es2022",
    // A data: URL would need a hole in the content security policy.
    assetsInlineLimit: 0,
    // One small sheet: what comes later has its looks already, also when it comes at a second try.
    cssCodeSplit: false,
    // What draws 3D models is large, and comes for them alone; `budget` watches the first load.
    chunkSizeWarningLimit: 1200,
    modulePreload: { polyfill: false },
  },
  server: { port: 5173, proxy: { [CALLS]: API } },
});
