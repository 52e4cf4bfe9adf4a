import "@fontsource-variable/inter/wght.css";
import "@fontsource/instrument-serif/400.css";
import "./design/base.css";
import { DarkroomProvider } from "@darkroom/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode, startTransition } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { Crash } from "./components/Crash.tsx";
import { pageClient } from "./data/client.ts";
import { StudioProvider } from "./data/studio.tsx";
import { followTheme } from "./design/theme.ts";
import { fetchAhead } from "./later.ts";
import { LanguageProvider } from "./strings/language.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root.");

followTheme();
fetchAhead();
const client = pageClient();
const queryClient = new QueryClient({
  // A server on this machine is there without the internet: whether it answers is found out.
  defaultOptions: { queries: { networkMode: "always" }, mutations: { networkMode: "always" } },
});

const page = (
  <StrictMode>
    <LanguageProvider>
      <Crash>
        <QueryClientProvider client={queryClient}>
          <DarkroomProvider client={client} live>
            <StudioProvider>
              <App />
            </StudioProvider>
          </DarkroomProvider>
        </QueryClientProvider>
      </Crash>
    </LanguageProvider>
  </StrictMode>
);
// A transition is rendered in slices, so that a slow phone takes taps meanwhile.
startTransition(() => createRoot(root).render(page));
