/** The reader's language: the browser's, or the one chosen here. Only that one is loaded. */

import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { persistently } from "../later.ts";
import { recall, remember } from "../storage.ts";
import { type Formats, formatsFor } from "../tasks/formats.ts";
import { en } from "./en.ts";
import type { Strings } from "./strings.ts";

export const LANGUAGES = { en: "English", zh: "中文", tr: "Türkçe" } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = "darkroom.language";
const LOADED: Record<Language, () => Promise<Strings>> = {
  en: async () => en,
  zh: async () => (await persistently(() => import("./zh.ts"))).zh,
  tr: async () => (await persistently(() => import("./tr.ts"))).tr,
};

export interface Spoken {
  readonly language: Language;
  readonly strings: Strings;
  readonly formats: Formats;
  readonly choose: (language: Language) => void;
}

const Context = createContext<Spoken | null>(null);

/** The first of the wished languages that there is. */
export function pickLanguage(wishes: readonly (string | null)[]): Language {
  for (const wish of wishes) {
    const primary = wish?.toLowerCase().split("-")[0] ?? "";
    if (isLanguage(primary)) return primary;
  }
  return "en";
}

/** The reader's own variety of a language, for dates and numbers: British English, say. */
export function varietyOf(language: Language, wishes: readonly string[]): string {
  return wishes.find((wish) => wish.toLowerCase().split("-")[0] === language) ?? language;
}

function isLanguage(text: string): text is Language {
  return Object.hasOwn(LANGUAGES, text);
}

/** Gives `children` their words. Nothing is shown until they are there, so that none flicker. */
export function LanguageProvider({
  children,
  start,
}: {
  children: ReactNode;
  start?: Language;
}): ReactNode {
  const [language, setLanguage] = useState<Language>(
    () => start ?? pickLanguage([recall(KEY), ...navigator.languages]),
  );
  const [loaded, setLoaded] = useState<{ language: Language; strings: Strings } | null>(
    language === "en" ? { language, strings: en } : null,
  );
  useEffect(() => {
    let wanted = true;
    LOADED[language]().then(
      (strings) => wanted && setLoaded({ language, strings }),
      () => wanted && setLoaded((before) => before ?? { language: "en", strings: en }),
    );
    return () => {
      wanted = false;
    };
  }, [language]);
  const spoken = useMemo<Spoken | null>(
    () =>
      loaded && {
        ...loaded,
        formats: formatsFor(varietyOf(loaded.language, navigator.languages)),
        choose(chosen) {
          remember(KEY, chosen);
          setLanguage(chosen);
        },
      },
    [loaded],
  );
  useEffect(() => {
    if (loaded !== null) document.documentElement.lang = loaded.language;
  }, [loaded]);
  return spoken && <Context value={spoken}>{children}</Context>;
}

export function useSpoken(): Spoken {
  const spoken = use(Context);
  if (spoken === null) throw new Error("useSpoken needs a LanguageProvider around it.");
  return spoken;
}

/** The strings in the reader's language. */
export function useStrings(): Strings {
  return useSpoken().strings;
}
