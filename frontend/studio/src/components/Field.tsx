import { ChevronDown } from "lucide-react";
import { type ComponentProps, type ReactNode, useId } from "react";
import styles from "./Field.module.css";

interface Labelled {
  readonly label: string;
  readonly hint?: string;
}

/** A line to type in. */
export function TextField({
  label,
  hint,
  ...rest
}: Labelled & Omit<ComponentProps<"input">, "id">): ReactNode {
  const id = useId();
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        className={styles.control}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...rest}
      />
      {hint && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** One of several, as the system's own list: it works everywhere. */
export function SelectField<Value extends string>({
  label,
  hint,
  value,
  options,
  onChoose,
}: Labelled & {
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChoose: (value: Value) => void;
}): ReactNode {
  const id = useId();
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      <div className={styles.select}>
        <select
          id={id}
          className={styles.control}
          value={value}
          onChange={(event) => onChoose(event.target.value as Value)}
          aria-describedby={hint ? `${id}-hint` : undefined}
        >
          {options.map(([each, text]) => (
            <option key={each} value={each}>
              {text}
            </option>
          ))}
        </select>
        <ChevronDown aria-hidden />
      </div>
      {hint && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** One of a few, all to be seen. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  onChoose,
}: {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChoose: (value: Value) => void;
}): ReactNode {
  const name = useId();
  return (
    <fieldset className={styles.field}>
      <legend className={styles.label}>{label}</legend>
      <div className={styles.options}>
        {options.map(([each, text]) => (
          <label key={each} className={styles.option}>
            <input
              type="radio"
              name={name}
              value={each}
              checked={each === value}
              onChange={() => onChoose(each)}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
