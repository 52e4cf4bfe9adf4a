import { cleanup, render } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";
import { onTestFinished } from "vitest";
import { type Language, LanguageProvider } from "../src/strings/language.tsx";

/** Render in a language, English where none is told. */
export function renderSpeaking(shown: ReactElement, language: Language = "en") {
  onTestFinished(cleanup);
  const wrapper = ({ children }: { children: ReactNode }) => (
    <LanguageProvider start={language}>{children}</LanguageProvider>
  );
  return render(shown, { wrapper });
}
