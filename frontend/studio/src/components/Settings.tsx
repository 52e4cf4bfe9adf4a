import { Settings2 } from "lucide-react";
import { type ComponentProps, type ReactNode, Suspense, useState } from "react";
import { later } from "../later.ts";
import { LANGUAGES, useSpoken } from "../strings/language.tsx";
import { Button } from "./Button.tsx";

const SettingsMenu = later(async () => (await import("./SettingsMenu.tsx")).SettingsMenu);

export interface SettingsProps {
  /** Where there is a session to end; false when it could not be. */
  readonly onSignOut?: (() => Promise<boolean>) | undefined;
}

/** The reader's own settings: a button, whose menu comes when it is first asked for. */
export function Settings({ onSignOut }: SettingsProps): ReactNode {
  const [wanted, setWanted] = useState(false);
  const button = (
    <SettingsButton aria-haspopup="menu" aria-expanded={false} onClick={() => setWanted(true)} />
  );
  return wanted ? (
    <Suspense fallback={button}>
      <SettingsMenu onSignOut={onSignOut} />
    </Suspense>
  ) : (
    button
  );
}

export function SettingsButton(props: ComponentProps<"button">): ReactNode {
  const { strings, language } = useSpoken();
  return (
    <Button look="quiet" icon={Settings2} {...props}>
      <span className="hidden-visually">{strings.settings.open}: </span>
      {LANGUAGES[language]}
    </Button>
  );
}
