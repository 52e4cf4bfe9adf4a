import { Box } from "lucide-react";
import { type ReactNode, Suspense, useState } from "react";
import { later } from "../later.ts";
import { useStrings } from "../strings/language.tsx";
import styles from "./Preview.module.css";

const ModelViewer = later(async () => (await import("../model/ModelViewer.tsx")).ModelViewer);

/** A 3D model: small and still, or large and to be turned. */
export function Model({
  url,
  name,
  controls,
}: {
  url: string;
  name: string;
  controls: boolean;
}): ReactNode {
  const { tasks, viewer } = useStrings();
  const [state, setState] = useState<"coming" | "there" | "failed">(() =>
    showsModels() ? "coming" : "failed",
  );
  if (state === "failed") {
    return (
      <span className={styles.file} data-model="failed">
        <Box aria-hidden />
        {tasks.noModels}
      </span>
    );
  }
  const poster = (
    <span className={styles.file}>
      <Box aria-hidden />
    </span>
  );
  return (
    <>
      {state === "coming" && poster}
      <div className={styles.model} data-model={state} inert={!controls}>
        <Suspense fallback={null}>
          <ModelViewer
            url={url}
            alt={tasks.modelOf(name)}
            controls={controls}
            onLoad={() => setState("there")}
            onError={() => setState("failed")}
          />
        </Suspense>
      </div>
      {controls && <p className={styles.hint}>{viewer.turn}</p>}
    </>
  );
}

let shows: boolean | undefined;

/** Whether the browser draws in three dimensions at all; asked once, for each try takes a context. */
function showsModels(): boolean {
  shows ??= document.createElement("canvas").getContext("webgl2") !== null;
  return shows;
}
