/** Parts of the page that come when they are needed, however long the network is away. */

import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import { serverAnswers } from "./data/reachability.ts";

const AGAIN_MS = 2000;

/** A component whose code comes when it is first shown. */
export function later<Props>(
  load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(async () => ({ default: await persistently(load) }));
}

/**
 * Load it, again and again while nobody answers. When the server does, and the file still can't be
 * had, this page is older than the server: that is an error, and a reload mends it.
 */
export async function persistently<Part>(
  load: () => Promise<Part>,
  isServerThere: () => Promise<boolean> = serverAnswers,
  againMs: number = AGAIN_MS,
): Promise<Part> {
  for (let misses = 0; ; ) {
    try {
      return await load();
    } catch (error) {
      if (await isServerThere()) misses += 1;
      if (misses > 1) throw error;
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}

const FIRST_LOOK_MS = 3000;

/**
 * Once the first look is over, have the browser keep what the other pages are made of: they open at
 * once then, also offline. The build has named the files in `index.html`.
 */
export function fetchAhead(): void {
  addEventListener("load", () =>
    setTimeout(() => {
      for (const link of document.querySelectorAll<HTMLLinkElement>("link[rel=ahead]")) {
        link.rel = "prefetch";
      }
    }, FIRST_LOOK_MS),
  );
}
