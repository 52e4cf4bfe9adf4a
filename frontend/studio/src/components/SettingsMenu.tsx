import { Menu } from "@base-ui/react/menu";
import { Check, LogOut, type LucideIcon, Monitor, Moon, Sun } from "lucide-react";
import { type ReactNode, useState } from "react";
import { setTheme, useTheme } from "../design/theme.ts";
import { LANGUAGES, type Language, useSpoken } from "../strings/language.tsx";
import type { ThemeWish } from "../strings/strings.ts";
import { SettingsButton, type SettingsProps } from "./Settings.tsx";
import styles from "./SettingsMenu.module.css";

const ICONS: Record<ThemeWish, LucideIcon> = { system: Monitor, light: Sun, dark: Moon };

/** Light or dark, the language, and the way out; open to begin with. */
export function SettingsMenu({ onSignOut }: SettingsProps): ReactNode {
  const { strings, language, choose } = useSpoken();
  const theme = useTheme();
  const { settings } = strings;
  // Beside its button rather than at the end of the page: it belongs to the same landmark.
  const [beside, setBeside] = useState<HTMLDivElement | null>(null);
  return (
    <Menu.Root defaultOpen>
      <Menu.Trigger render={<SettingsButton />} />
      <div ref={setBeside} />
      <Menu.Portal container={beside}>
        <Menu.Positioner className={styles.positioner} sideOffset={8} align="start">
          <Menu.Popup className={styles.popup}>
            <Menu.RadioGroup value={theme} onValueChange={(value: ThemeWish) => setTheme(value)}>
              <Menu.Group>
                <Menu.GroupLabel className={styles.heading}>{settings.theme}</Menu.GroupLabel>
                {(Object.keys(ICONS) as ThemeWish[]).map((each) => {
                  const Icon = ICONS[each];
                  return (
                    <Menu.RadioItem key={each} value={each} className={styles.item} closeOnClick>
                      <Icon aria-hidden />
                      {settings.themes[each]}
                      <Tick />
                    </Menu.RadioItem>
                  );
                })}
              </Menu.Group>
            </Menu.RadioGroup>
            <Menu.Separator className={styles.line} />
            <Menu.RadioGroup value={language} onValueChange={(value: Language) => choose(value)}>
              <Menu.Group>
                <Menu.GroupLabel className={styles.heading}>{settings.language}</Menu.GroupLabel>
                {(Object.keys(LANGUAGES) as Language[]).map((each) => (
                  <Menu.RadioItem
                    key={each}
                    value={each}
                    className={styles.item}
                    lang={each}
                    closeOnClick
                  >
                    {LANGUAGES[each]}
                    <Tick />
                  </Menu.RadioItem>
                ))}
              </Menu.Group>
            </Menu.RadioGroup>
            {onSignOut !== undefined && <SignOut onSignOut={onSignOut} />}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

function SignOut({ onSignOut }: { onSignOut: () => Promise<boolean> }): ReactNode {
  const { session, problems } = useSpoken().strings;
  const [asking, setAsking] = useState(false);
  const [failed, setFailed] = useState(false);
  const signOut = async () => {
    setAsking(true);
    setFailed(!(await onSignOut()));
    setAsking(false);
  };
  return (
    <>
      <Menu.Separator className={styles.line} />
      <Menu.Item
        className={styles.item}
        closeOnClick={false}
        disabled={asking}
        onClick={() => void signOut()}
      >
        <LogOut aria-hidden />
        {session.signOut}
      </Menu.Item>
      {failed && (
        <p className={styles.heading} role="alert">
          {problems.network}
        </p>
      )}
    </>
  );
}

function Tick(): ReactNode {
  return (
    <Menu.RadioItemIndicator className={styles.tick}>
      <Check aria-hidden />
    </Menu.RadioItemIndicator>
  );
}
