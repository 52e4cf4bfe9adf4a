import { isTransient, newKey, type Upload, type UploadOptions } from "@darkroom/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { problemOf, type ToldProblem } from "../tasks/failure.ts";
import type { Picture } from "../tasks/request.ts";

/** A picture that was added: on its way, there, or refused. */
export interface AddedPicture extends Picture {
  readonly id: string;
  readonly name: string;
  readonly file: File;
  /** An address of this page alone, so that it is seen at once; null when it came by its address. */
  readonly preview: string;
  readonly percent: number;
  readonly problem: ToldProblem | null;
}

export type UploadFile = (file: Blob, options: UploadOptions) => Promise<Upload>;

export interface Pictures {
  readonly all: readonly AddedPicture[];
  /** Whether the last ones were more than are taken. */
  readonly tooMany: boolean;
  readonly add: (files: readonly File[]) => void;
  /** Send one again that did not arrive. */
  readonly again: (id: string) => void;
  readonly remove: (id: string) => void;
  readonly clear: () => void;
}

/** The pictures of a request: each is uploaded as soon as it is added, or kept where `upload` is null. */
export function usePictures(upload: UploadFile | null, most: number): Pictures {
  const [all, setAll] = useState<readonly AddedPicture[]>([]);
  const [tooMany, setTooMany] = useState(false);
  const running = useRef(new Map<string, AbortController>());

  const change = useCallback((id: string, to: Partial<AddedPicture>) => {
    setAll((before) => before.map((each) => (each.id === id ? { ...each, ...to } : each)));
  }, []);

  const start = useCallback(
    async (id: string, file: File) => {
      if (upload === null) return;
      const controller = new AbortController();
      running.current.set(id, controller);
      try {
        const { url } = await upload(file, {
          signal: controller.signal,
          onProgress: ({ loaded, total }) =>
            change(id, { percent: total === 0 ? 0 : Math.round((loaded / total) * 100) }),
        });
        change(id, { state: "done", url, percent: 100 });
      } catch (error) {
        if (controller.signal.aborted) return;
        const state = isTransient(error) ? "unanswered" : "refused";
        change(id, { state, problem: problemOf(error) });
      } finally {
        running.current.delete(id);
      }
    },
    [upload, change],
  );

  const add = useCallback(
    (files: readonly File[]) => {
      const room = Math.max(0, most - all.length);
      setTooMany(files.length > room);
      const added = files.slice(0, room).map((file) => ({ file, id: newKey() }));
      setAll((before) => [
        ...before,
        ...added.map(({ file, id }) => ({
          id,
          name: file.name,
          file,
          preview: URL.createObjectURL(file),
          state: upload === null ? ("kept" as const) : ("uploading" as const),
          percent: 0,
          url: null,
          problem: null,
        })),
      ]);
      for (const { file, id } of added) void start(id, file);
    },
    [all.length, most, start, upload],
  );

  const again = useCallback(
    (id: string) => {
      const file = all.find((each) => each.id === id)?.file;
      if (file === undefined) return;
      change(id, { state: "uploading", percent: 0, problem: null });
      void start(id, file);
    },
    [all, change, start],
  );

  const remove = useCallback((id: string) => {
    running.current.get(id)?.abort();
    setTooMany(false);
    setAll((before) => {
      for (const each of before) if (each.id === id) URL.revokeObjectURL(each.preview);
      return before.filter((each) => each.id !== id);
    });
  }, []);

  const clear = useCallback(() => {
    setTooMany(false);
    setAll((before) => {
      for (const each of before) URL.revokeObjectURL(each.preview);
      return [];
    });
  }, []);

  useEffect(() => {
    const uploads = running.current;
    return () => {
      for (const controller of uploads.values()) controller.abort();
    };
  }, []);

  return { all, tooMany, add, again, remove, clear };
}
