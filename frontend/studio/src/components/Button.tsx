import type { LucideIcon } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import styles from "./Button.module.css";

export type Look = "primary" | "plain" | "quiet";

interface Shared {
  readonly look?: Look;
  readonly icon?: LucideIcon;
}

/** Something to do. */
export function Button({
  look = "plain",
  icon: Icon,
  children,
  className,
  ...rest
}: Shared & ComponentProps<"button">): ReactNode {
  return (
    <button type="button" className={classes(look, className)} {...rest}>
      {Icon && <Icon aria-hidden />}
      {children}
    </button>
  );
}

/** A link that looks like a button: for downloads. */
export function ButtonLink({
  look = "plain",
  icon: Icon,
  children,
  className,
  ...rest
}: Shared & ComponentProps<"a">): ReactNode {
  return (
    <a className={classes(look, className)} {...rest}>
      {Icon && <Icon aria-hidden />}
      {children}
    </a>
  );
}

function classes(look: Look, more = ""): string {
  return `${styles.button} ${styles[look]} ${more}`;
}
