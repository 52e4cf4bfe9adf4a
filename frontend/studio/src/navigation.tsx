/** Pages by address, with the browser's own history. */

import { type MouseEvent, type ReactNode, useSyncExternalStore } from "react";

const CHANGED = "darkroom:navigated";

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  addEventListener(CHANGED, listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener(CHANGED, listener);
  };
}

/** The path and the query of the address, kept current. */
export function useAddress(): URL {
  const href = useSyncExternalStore(subscribe, () => location.href);
  return new URL(href);
}

/** Go there without a reload; `replace` leaves no step to go back to. */
export function navigate(to: string, { replace = false } = {}): void {
  const from = location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  if (location.pathname !== from) scrollTo(0, 0);
  dispatchEvent(new Event(CHANGED));
}

/** A link to another page: an ordinary one for everybody who wants a new tab. */
export function Link({
  to,
  children,
  ...rest
}: {
  to: string;
  children: ReactNode;
  className?: string | undefined;
  "aria-current"?: "page" | undefined;
}): ReactNode {
  const onClick = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} onClick={onClick} {...rest}>
      {children}
    </a>
  );
}
