import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, type RenderHookResult, render, renderHook } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { afterEach, beforeEach, vi } from "vitest";
import { DarkroomProvider, type DarkroomProviderProps } from "../src/index.ts";
import type { FakeGateway } from "./fake-gateway.ts";

/** Time stands still in every test of the file, but for `pass`. */
export function withFakeTime(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
  });
}

/** Let time pass, and React show what came of it. */
export async function pass(ms: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

/** Let what has been answered already be shown. */
export async function settle(): Promise<void> {
  await pass(1);
}

export interface World extends Omit<DarkroomProviderProps, "client" | "children"> {
  /** Another one is another page load. */
  readonly queryClient?: QueryClient;
  readonly strict?: boolean;
}

/** What surrounds the hooks of a page. */
export function world(gateway: FakeGateway, { queryClient, strict, ...props }: World = {}) {
  const queries = queryClient ?? new QueryClient();
  // biome-ignore lint/correctness/noComponentHookFactories: a page is loaded once a test.
  return function Page({ children }: { readonly children: ReactNode }) {
    const page = (
      <QueryClientProvider client={queries}>
        <DarkroomProvider client={gateway.client} {...props}>
          {children}
        </DarkroomProvider>
      </QueryClientProvider>
    );
    return strict ? <StrictMode>{page}</StrictMode> : page;
  };
}

/** A hook on a page, after its first answers. */
export async function mounted<Result>(
  gateway: FakeGateway,
  hook: () => Result,
  surroundings: World = {},
): Promise<RenderHookResult<Result, unknown>> {
  const rendered = renderHook(hook, { wrapper: world(gateway, surroundings) });
  await settle();
  return rendered;
}

/** A component on a page, after its first answers. */
export async function shown(gateway: FakeGateway, ui: ReactNode, surroundings: World = {}) {
  const rendered = render(ui, { wrapper: world(gateway, surroundings) });
  await settle();
  return rendered;
}
