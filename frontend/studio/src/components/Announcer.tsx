import { createContext, type ReactNode, use, useCallback, useState } from "react";

const Context = createContext<(text: string) => void>(() => undefined);

/** Says to screen readers what happens on the page without moving the focus. */
export function Announcer({ children }: { children: ReactNode }): ReactNode {
  const [text, setText] = useState("");
  const announce = useCallback((said: string) => {
    // The same words twice are said twice only if they change in between.
    setText((before) => (before === said ? `${said}\u00a0` : said));
  }, []);
  return (
    <Context value={announce}>
      {children}
      <div className="hidden-visually" role="status" aria-live="polite">
        {text}
      </div>
    </Context>
  );
}

export function useAnnounce(): (text: string) => void {
  return use(Context);
}
