import { CloudOff, WifiOff } from "lucide-react";
import type { ReactNode } from "react";
import type { Reachability } from "../data/reachability.ts";
import { useStrings } from "../strings/language.tsx";
import styles from "./ConnectionBanner.module.css";
import { Notice } from "./Notice.tsx";

/** Says that the page is cut off, from what, and that nothing is lost by it. */
export function ConnectionBanner({ reachability }: { reachability: Reachability }): ReactNode {
  const { connection } = useStrings();
  return (
    <div className={styles.banner} role="status">
      {reachability === "offline" && (
        <Notice tone="warn" icon={WifiOff} title={connection.offline}>
          {connection.offlineHint}
        </Notice>
      )}
      {reachability === "unreachable" && (
        <Notice tone="warn" icon={CloudOff} title={connection.unreachable}>
          {connection.unreachableHint}
        </Notice>
      )}
    </div>
  );
}
