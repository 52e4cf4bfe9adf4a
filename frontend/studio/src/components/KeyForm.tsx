import { KeyRound } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useStrings } from "../strings/language.tsx";
import { Button } from "./Button.tsx";
import { TextField } from "./Field.tsx";
import styles from "./KeyForm.module.css";
import { Notice } from "./Notice.tsx";

/** Where a key is given to a server that asks for one; `onKey` tells why it was not taken. */
export function KeyForm({
  onKey,
}: {
  onKey: (key: string) => Promise<"taken" | "refused" | "unanswered">;
}): ReactNode {
  const { session, problems } = useStrings();
  const [key, setKey] = useState("");
  const [answer, setAnswer] = useState<"refused" | "unanswered" | null>(null);
  const [asking, setAsking] = useState(false);
  const submit = async () => {
    setAsking(true);
    const told = await onKey(key.trim());
    setAsking(false);
    setAnswer(told === "taken" ? null : told);
  };
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1 className={styles.title}>{session.title}</h1>
      <TextField
        label={session.key}
        hint={session.hint}
        type="password"
        autoComplete="current-password"
        required
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      {answer !== null && (
        <Notice tone="bad" title={answer === "refused" ? session.refused : problems.network} live />
      )}
      <Button type="submit" look="primary" icon={KeyRound} disabled={asking || key.trim() === ""}>
        {session.enter}
      </Button>
    </form>
  );
}
