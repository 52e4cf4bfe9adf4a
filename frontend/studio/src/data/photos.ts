/**
 * Photos on their way to the tasks that wait for them. A browser keeps no file over a reload: after
 * one the task still waits, and the photo is chosen again.
 */

import { type Client, ProblemError, type Task } from "@darkroom/client";
import { problemOf, type ToldProblem } from "../tasks/failure.ts";
import { entryKeyOf } from "./outbox.ts";

export interface Photo {
  readonly file: File;
  /** An address of this page alone. */
  readonly preview: string;
  readonly percent: number;
  /** Why it has not arrived; null while it is being sent. */
  readonly problem: ToldProblem | null;
}

export class Photos {
  readonly #client: Pick<Client, "putPhoto">;
  /** Told the task as it is now, or null when that has to be asked. */
  readonly #onSettled: (task: Task | null) => Promise<void>;
  readonly #listeners = new Set<() => void>();
  readonly #sending = new Map<string, AbortController>();
  /** By the id of the task, or before it has one by the key of its entry in the outbox. */
  #photos: ReadonlyMap<string, Photo> = new Map();

  constructor(client: Pick<Client, "putPhoto">, onSettled: (task: Task | null) => Promise<void>) {
    this.#client = client;
    this.#onSettled = onSettled;
  }

  all = (): ReadonlyMap<string, Photo> => this.#photos;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Keep it until the task is there that it is for. */
  keep(key: string, file: File): void {
    this.#put(key, { file, preview: URL.createObjectURL(file), percent: 0, problem: null });
  }

  /** The task is there: what was kept for it goes. */
  async sendKept(task: Task): Promise<void> {
    const key = entryKeyOf(task);
    const photo = key === null ? undefined : this.#photos.get(key);
    if (key === null || photo === undefined) return;
    this.drop(key);
    await this.send(task.task_id, photo.file);
  }

  /** Send it; it is kept here until it has arrived, or is of no use. */
  async send(taskId: string, file: File): Promise<void> {
    this.drop(taskId);
    this.keep(taskId, file);
    const controller = new AbortController();
    this.#sending.set(taskId, controller);
    const { signal } = controller;
    try {
      const task = await this.#client.putPhoto(taskId, file, {
        signal,
        onProgress: ({ loaded, total }) =>
          this.#change(taskId, { percent: total === 0 ? 0 : Math.round((loaded / total) * 100) }),
      });
      this.drop(taskId);
      await this.#onSettled(task);
    } catch (error) {
      if (signal.aborted) return;
      if (endsWaiting(error)) this.drop(taskId);
      else this.#change(taskId, { problem: problemOf(error) });
      // It may have arrived though the answer did not.
      await this.#onSettled(null);
    }
  }

  async again(taskId: string): Promise<void> {
    const photo = this.#photos.get(taskId);
    if (photo !== undefined) await this.send(taskId, photo.file);
  }

  /** Stop sending it, and forget it. */
  drop(id: string): void {
    this.#sending.get(id)?.abort();
    this.#sending.delete(id);
    const photo = this.#photos.get(id);
    if (photo === undefined) return;
    URL.revokeObjectURL(photo.preview);
    this.#set([...this.#photos].filter(([each]) => each !== id));
  }

  clear(): void {
    for (const id of this.#photos.keys()) this.drop(id);
  }

  #change(id: string, to: Partial<Photo>): void {
    const photo = this.#photos.get(id);
    if (photo !== undefined) this.#put(id, { ...photo, ...to });
  }

  #put(id: string, photo: Photo): void {
    this.#set([...this.#photos, [id, photo]]);
  }

  #set(photos: Iterable<readonly [string, Photo]>): void {
    this.#photos = new Map(photos);
    for (const listener of this.#listeners) listener();
  }
}

/** The photo of a task, under whichever name it is known. */
export function photoOf(photos: ReadonlyMap<string, Photo>, task: Task): Photo | null {
  return photos.get(task.task_id) ?? photos.get(entryKeyOf(task) ?? "") ?? null;
}

/** The task waits for no photo any more: this one was of no use, or not the first. */
const NOT_AWAITED: readonly string[] = ["photo_unusable", "photo_not_awaited", "task_not_found"];

function endsWaiting(error: unknown): boolean {
  return error instanceof ProblemError && NOT_AWAITED.includes(error.code);
}
