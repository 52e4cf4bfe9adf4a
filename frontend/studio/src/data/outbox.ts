/**
 * What was submitted and has no answer yet. Each entry keeps its idempotency key, also over a
 * reload: however often it is sent, it becomes one task.
 */

import { type Client, isTransient, type SubmitTask, type Task } from "@darkroom/client";
import { problemOf, type ToldProblem } from "../tasks/failure.ts";

export interface Entry {
  /** The idempotency key. */
  readonly key: string;
  readonly request: SubmitTask;
  readonly at: string;
  /** `sent` has its task; `refused` waits for the person, `unanswered` for the network. */
  readonly state: "sending" | "unanswered" | "refused" | "sent";
  readonly problem: ToldProblem | null;
  readonly task: Task | null;
}

/** Where a task's metadata has the key of its entry. */
const MARK = "outbox";

/** The key of the entry that a task was made from, if it was asked for on this page. */
export function entryKeyOf({ metadata }: Task): string | null {
  const key = metadata[MARK];
  return typeof key === "string" ? key : null;
}

/** The entries of which no task is there yet. Pure. */
export function withoutTask(entries: readonly Entry[], tasks: readonly Task[]): readonly Entry[] {
  const there = new Set(tasks.map(entryKeyOf));
  return entries.filter(({ key }) => !there.has(key));
}

/** The part of `Storage` that is needed. */
export interface Shelf {
  read(): string | null;
  write(text: string | null): void;
}

export class Outbox {
  readonly #client: Pick<Client, "submit">;
  readonly #shelf: Shelf;
  readonly #onSent: (task: Task) => Promise<void>;
  readonly #listeners = new Set<() => void>();
  #entries: readonly Entry[] = [];
  #sending = new AbortController();

  constructor(client: Pick<Client, "submit">, shelf: Shelf, onSent: (task: Task) => Promise<void>) {
    this.#client = client;
    this.#shelf = shelf;
    this.#onSent = onSent;
    this.#entries = read(shelf.read());
  }

  entries = (): readonly Entry[] => this.#entries;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Send it, and keep it until it is answered. */
  submit(request: SubmitTask, key: string, at: string): Promise<void> {
    // The task carries the key: the stream may tell of it before its own answer arrives.
    const marked = { ...request, metadata: { ...request.metadata, [MARK]: key } };
    const entry: Entry = { key, request: marked, at, state: "sending", problem: null, task: null };
    this.#put([...this.#entries, entry]);
    return this.#send(entry);
  }

  /** Send one again. */
  async resend(key: string): Promise<void> {
    const entry = this.#entries.find((each) => each.key === key);
    if (entry !== undefined && (entry.state === "unanswered" || entry.state === "refused")) {
      await this.#send(entry);
    }
  }

  /** Send everything again that had no answer: at the start, and when the network is back. */
  async resume(): Promise<void> {
    const waiting = this.#entries.filter(({ state }) => state === "unanswered");
    await Promise.all(waiting.map((entry) => this.#send(entry)));
  }

  /** Send nothing until `open`, also not what is on its way: who asks may be somebody else. */
  close(): void {
    this.#sending.abort();
  }

  /** Whoever asks now is who will be sent for. */
  open(): void {
    this.#sending = new AbortController();
  }

  /** Throw everything away. */
  clear(): void {
    this.#put([]);
  }

  discard(key: string): void {
    this.#put(this.#entries.filter((each) => each.key !== key));
  }

  async #send({ key, request }: Entry): Promise<void> {
    const { signal } = this.#sending;
    this.#change(key, { state: "sending", problem: null });
    try {
      signal.throwIfAborted();
      const task = await this.#client.submit(request, { idempotencyKey: key, signal });
      signal.throwIfAborted();
      this.#change(key, { state: "sent", task });
      await this.#onSent(task);
      this.discard(key);
    } catch (error) {
      if (signal.aborted) {
        this.#change(key, { state: "unanswered", task: null });
        return;
      }
      const state = isTransient(error) ? "unanswered" : "refused";
      this.#change(key, { state, problem: problemOf(error) });
    }
  }

  #change(key: string, to: Partial<Entry>): void {
    this.#put(this.#entries.map((each) => (each.key === key ? { ...each, ...to } : each)));
  }

  #put(entries: readonly Entry[]): void {
    this.#entries = entries;
    const open = entries.filter(({ state }) => state !== "sent");
    this.#shelf.write(open.length === 0 ? null : JSON.stringify(open));
    for (const listener of this.#listeners) listener();
  }
}

/** What an earlier visit left. Whether it was sent isn't known: it is sent again. */
function read(text: string | null): readonly Entry[] {
  try {
    const kept: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(kept)) return [];
    return kept.filter(isEntry).map((entry) => ({
      ...entry,
      state: entry.state === "refused" ? ("refused" as const) : ("unanswered" as const),
      task: null,
    }));
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const { key, request, at } = value as Record<string, unknown>;
  const typed = typeof request === "object" && request !== null && "type" in request;
  return typeof key === "string" && typeof at === "string" && typed;
}
