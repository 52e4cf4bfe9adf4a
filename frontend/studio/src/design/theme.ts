/** Light, dark, or as the system has it; remembered, and the same in every tab. */

import { useSyncExternalStore } from "react";
import { recall, remember } from "../storage.ts";
import type { ThemeWish } from "../strings/strings.ts";

const KEY = "darkroom.theme";
const listeners = new Set<() => void>();
const system = () => matchMedia("(prefers-color-scheme: dark)");

function wish(): ThemeWish {
  const told = recall(KEY);
  return told === "light" || told === "dark" ? told : "system";
}

function apply(): void {
  const told = wish();
  const dark = told === "dark" || (told === "system" && system().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}

/** Follow the system and the other tabs from now on. */
export function followTheme(): () => void {
  const onStorage = (event: StorageEvent) => event.key === KEY && apply();
  const query = system();
  apply();
  query.addEventListener("change", apply);
  addEventListener("storage", onStorage);
  return () => {
    query.removeEventListener("change", apply);
    removeEventListener("storage", onStorage);
  };
}

export function setTheme(theme: ThemeWish): void {
  remember(KEY, theme === "system" ? null : theme);
  apply();
}

export function useTheme(): ThemeWish {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, wish);
}
