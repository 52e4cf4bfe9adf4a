import {
  Activity,
  Box,
  Brush,
  Clapperboard,
  History,
  ImageIcon,
  Images,
  type LucideIcon,
  Shirt,
} from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useRef } from "react";
import { Link } from "../navigation.tsx";
import { isGenerationPage, PATHS, type PageName } from "../routes.ts";
import { useStrings } from "../strings/language.tsx";
import { Settings } from "./Settings.tsx";
import styles from "./Shell.module.css";

const ICONS: Record<PageName, LucideIcon> = {
  create: Brush,
  "white-background": ImageIcon,
  "clothing-change": Shirt,
  "photo-to-3d": Box,
  image: Images,
  video: Clapperboard,
  history: History,
  operations: Activity,
};

/** The frame of every page: the way to the others, and the reader's own settings. */
export function Shell({
  pages,
  current,
  children,
  main,
  onSignOut,
}: {
  pages: readonly PageName[];
  current: PageName | null;
  children: ReactNode;
  /** Where the focus goes when the page changes. */
  main?: RefObject<HTMLElement | null>;
  /** Where there is a session to end; false when it could not be. */
  onSignOut?: (() => Promise<boolean>) | undefined;
}): ReactNode {
  const { app, pages: words } = useStrings();
  const own = useRef<HTMLElement>(null);
  const content = main ?? own;
  const nav = useRef<HTMLElement>(null);
  // On a phone there is no room for all: the one that is shown is among those that are seen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: which links there are, and which is current
  useEffect(() => {
    const link = nav.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (!nav.current || !link) return;
    nav.current.scrollLeft = link.offsetLeft - (nav.current.clientWidth - link.offsetWidth) / 2;
  }, [current, pages.length]);
  const firstApart = pages.find((page) => !isGenerationPage(page));
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content">
        {app.skip}
      </a>
      <header className={styles.side}>
        <Link to={PATHS.create} className={styles.brand}>
          <Mark />
          {app.name}
        </Link>
        <nav ref={nav} className={styles.nav} aria-label={app.mainNavigation}>
          <ul>
            {pages.map((page) => {
              const Icon = ICONS[page];
              return (
                <li key={page} className={page === firstApart ? styles.apart : undefined}>
                  <Link
                    to={PATHS[page]}
                    className={styles.link}
                    aria-current={page === current ? "page" : undefined}
                  >
                    <Icon aria-hidden />
                    <span>{words[page].nav}</span>
                  </Link>
                </li>
              );
            })}
          </ul>
        </nav>
        <div className={styles.foot}>
          <Settings onSignOut={onSignOut} />
        </div>
      </header>
      <main className={styles.main} id="content" tabIndex={-1} ref={content}>
        <div className={styles.page}>{children}</div>
      </main>
    </div>
  );
}

function Mark(): ReactNode {
  return (
    <svg className={styles.mark} viewBox="0 0 24 24" aria-hidden>
      <circle cx="12" cy="12" r="9.5" fill="none" stroke="currentColor" strokeWidth="2.5" />
      <path d="M12 2.5a9.5 9.5 0 0 1 0 19z" fill="currentColor" />
    </svg>
  );
}
