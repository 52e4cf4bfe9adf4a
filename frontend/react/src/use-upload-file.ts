import type { UploadProgress } from "@darkroom/client";
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import { useDarkroom } from "./provider.tsx";
import { type ActionResult, resultOf } from "./result.ts";

/** A file that was taken in. */
export interface UploadedFile {
  readonly uploadId: string;
  /** To be named in a task's `reference_images`. */
  readonly downloadUrl: string;
  /** Until when it is kept unless a task refers to it. */
  readonly expiresAt: string;
  readonly contentType: string;
  readonly bytes: number;
}

export type UploadFile = UseMutationResult<ActionResult<UploadedFile>, Error, Blob> & {
  /** How much has been sent; `null` before anything was. */
  readonly progress: UploadProgress | null;
  /** Stop the upload; `mutate` then ends in an error. */
  readonly abort: () => void;
};

/**
 * Uploads a picture or a video, with its progress. A refusal is a result (`success: false`), a
 * network that fails is an error.
 *
 * @example
 * const { mutate: uploadFile, isPending, progress, abort } = useUploadFile();
 * uploadFile(file, {
 *   onSuccess: (result) => {
 *     if (result.success) setReference(result.data.downloadUrl);
 *     else setMessage(result.error);
 *   },
 * });
 */
export function useUploadFile(): UploadFile {
  const { client } = useDarkroom();
  const [progress, setProgress] = useState<UploadProgress | null>(null);
  const sending = useRef<AbortController>(undefined);
  const abort = useCallback(() => sending.current?.abort(), []);
  const mutation = useMutation({
    mutationFn: async (file: Blob) => {
      const controller = new AbortController();
      sending.current = controller;
      setProgress(null);
      const upload = client.upload(file, { signal: controller.signal, onProgress: setProgress });
      return resultOf(
        upload.then(({ upload_id, url, expires_at, content_type, bytes }) => ({
          uploadId: upload_id,
          downloadUrl: url,
          expiresAt: expires_at,
          contentType: content_type,
          bytes,
        })),
      );
    },
  });
  return { ...mutation, progress, abort };
}
