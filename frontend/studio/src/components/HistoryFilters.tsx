import { type GenerationType, STAGES, type TaskStatus } from "@darkroom/client";
import type { ReactNode } from "react";
import { useStrings } from "../strings/language.tsx";
import type { HistoryQuery } from "../tasks/history.ts";
import { SelectField, TextField } from "./Field.tsx";
import styles from "./HistoryFilters.module.css";

const STATUSES: readonly TaskStatus[] = [
  "processing",
  "completed",
  "failed",
  "cancelled",
  "pending",
];
const TYPES = Object.keys(STAGES) as GenerationType[];

/** Which part of the history is wanted. */
export function HistoryFilters({
  query,
  onChange,
}: {
  query: HistoryQuery;
  onChange: (query: HistoryQuery) => void;
}): ReactNode {
  const { history, types } = useStrings();
  return (
    <search className={styles.filters}>
      <TextField
        type="search"
        label={history.search}
        value={query.search}
        onChange={(event) => onChange({ ...query, search: event.target.value })}
      />
      <SelectField<GenerationType | "">
        label={history.type}
        value={query.type ?? ""}
        options={[["", history.allTypes], ...TYPES.map((type) => [type, types[type]] as const)]}
        onChoose={(type) => onChange({ ...query, type: type === "" ? null : type })}
      />
      <SelectField<TaskStatus | "">
        label={history.status}
        value={query.status ?? ""}
        options={[
          ["", history.all],
          ...STATUSES.map((status) => [status, history.statuses[status]] as const),
        ]}
        onChoose={(status) => onChange({ ...query, status: status === "" ? null : status })}
      />
    </search>
  );
}
