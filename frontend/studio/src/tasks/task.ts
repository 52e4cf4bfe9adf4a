/** A task as the page handles it, and what follows from it. Pure. */

import type { Task } from "@darkroom/client";

export type { Task } from "@darkroom/client";

export type Phase =
  | "scheduled"
  | "photo"
  | "waiting"
  | "running"
  | "completed"
  | "failed"
  | "cancelled";

/** What a card shows of a task. */
export function phaseOf(task: Task): Phase {
  switch (task.status) {
    case "completed":
    case "failed":
    case "cancelled":
      return task.status;
    case "pending":
      return task.type === "PHOTO_TO_3D" && task.reference_images.length === 0
        ? "photo"
        : "scheduled";
    case "processing":
      if (task.queue_position !== null && task.queue_position > 0) return "waiting";
      if (task.attempt === 0) return "waiting";
      return "running";
  }
}

export function isLive(task: Task): boolean {
  return task.status === "pending" || task.status === "processing";
}

/** What to call it: the beginning of its prompt, or else its kind. */
export function nameOf(task: Pick<Task, "prompt">, kind: string): string {
  const prompt = task.prompt?.trim().replace(/\s+/g, " ") ?? "";
  if (prompt === "") return kind;
  return prompt.length > 80 ? `${prompt.slice(0, 79).trimEnd()}…` : prompt;
}

/** Several sources' tasks as one list, newest first; where they differ, the later one is right. */
export function merge(...sources: readonly (readonly Task[])[]): readonly Task[] {
  const newest = new Map<string, Task>();
  for (const source of sources) {
    for (const task of source) {
      const known = newest.get(task.task_id);
      if (known === undefined || supersedes(task, known)) newest.set(task.task_id, task);
    }
  }
  return [...newest.values()].sort(
    (a, b) => b.created_at.localeCompare(a.created_at) || b.task_id.localeCompare(a.task_id),
  );
}

/** A place moves without the task: at the same sequence the one that came later is right. */
function supersedes(task: Task, known: Task): boolean {
  return task.sequence >= known.sequence && (isLive(known) || !isLive(task));
}

/** Addresses of this server as paths: the page may be open under another of its names. */
export function localUrl(url: string): string {
  const match = /^https?:\/\/[^/]+(\/(?:artifacts|uploads)\/.*)$/.exec(url);
  return match?.[1] ?? url;
}

/** Whether the page may load it: own files only, so that no reference tells strangers who looks. */
export function isOwnFile(url: string): boolean {
  return /^\/(artifacts|uploads)\//.test(localUrl(url));
}

export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** A file name for a download: words of the prompt, and what the content says it is. */
export function fileName(name: string, contentType: string): string {
  const words = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
  return `${words || "darkroom"}.${EXTENSIONS[contentType] ?? "bin"}`;
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/webp": "webp",
  "image/gif": "gif",
  "image/svg+xml": "svg",
  "video/mp4": "mp4",
  "video/webm": "webm",
  "video/quicktime": "mov",
  "model/gltf-binary": "glb",
  "model/gltf+json": "gltf",
};
