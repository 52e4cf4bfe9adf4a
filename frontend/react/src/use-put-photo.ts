import type { Task, UploadProgress } from "@darkroom/client";
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { queryKeys } from "./keys.ts";
import { applyTask } from "./live-cache.ts";
import { useDarkroom } from "./provider.tsx";

/** A photo, and the task that waits for it. */
export interface PhotoOfTask {
  readonly taskId: string;
  readonly file: Blob;
}

export type PutPhoto = UseMutationResult<Task, Error, PhotoOfTask> & {
  /** How much has been sent; `null` before anything was. */
  readonly progress: UploadProgress | null;
  /** Stop sending; the task goes on waiting for its photo. */
  readonly abort: () => void;
};

/**
 * Gives a pending `PHOTO_TO_3D` task its photo, with progress. A photo that can't be used ends the
 * task (`upload_failed`); one that was cut off on its way can be sent again.
 *
 * @example
 * const { mutate: putPhoto, progress } = usePutPhoto();
 * <input type="file" onChange={({ target }) => putPhoto({ taskId, file: target.files[0] })} />
 */
export function usePutPhoto(): PutPhoto {
  const { client, known } = useDarkroom();
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState<UploadProgress | null>(null);
  const sending = useRef<AbortController>(undefined);
  const abort = useCallback(() => sending.current?.abort(), []);
  const mutation = useMutation({
    mutationFn: ({ taskId, file }: PhotoOfTask) => {
      const controller = new AbortController();
      sending.current = controller;
      setProgress(null);
      const { signal } = controller;
      return client.putPhoto(taskId, file, { signal, onProgress: setProgress });
    },
    onSuccess: (task) => applyTask(queryClient, known, task),
    onError: () => {
      // It may have ended the task, or have arrived though its answer did not.
      void queryClient.invalidateQueries({ queryKey: queryKeys.tasks.all });
    },
  });
  return { ...mutation, progress, abort };
}
