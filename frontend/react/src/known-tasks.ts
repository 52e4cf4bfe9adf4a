/** The tasks that were seen in progress and whose end nobody here has been told yet, by type. */
export interface KnownTasks {
  list(type: string): readonly string[];
  add(type: string, taskIds: readonly string[]): void;
  remove(type: string, taskId: string): void;
  /** Forget all: they were somebody else's. */
  clear(): void;
}

/** More than these are not waited for: the oldest are forgotten. */
const MOST = 200;
const PREFIX = "darkroom:in-progress:";

/** Kept in the storage of the browser, where there is one and it lets us. */
export function knownTasks(storage: Storage | null): KnownTasks {
  const inMemory = new Map<string, readonly string[]>();

  function list(type: string): readonly string[] {
    try {
      const kept: unknown = JSON.parse(storage?.getItem(keyOf(type)) ?? "null");
      if (Array.isArray(kept)) return kept.filter((each) => typeof each === "string");
    } catch {
      // Somebody else wrote there, or it may not be read.
    }
    return inMemory.get(type) ?? [];
  }

  function keep(type: string, taskIds: readonly string[]): void {
    inMemory.set(type, taskIds);
    try {
      if (taskIds.length > 0) storage?.setItem(keyOf(type), JSON.stringify(taskIds));
      else storage?.removeItem(keyOf(type));
    } catch {
      // Full, or forbidden: until the page is left, memory serves.
    }
  }

  return {
    list,
    add(type, taskIds) {
      const known = list(type);
      const fresh = taskIds.filter((taskId) => !known.includes(taskId));
      if (fresh.length > 0) keep(type, [...known, ...fresh].slice(-MOST));
    },
    remove(type, taskId) {
      const known = list(type);
      if (known.includes(taskId))
        keep(
          type,
          known.filter((each) => each !== taskId),
        );
    },
    clear() {
      inMemory.clear();
      try {
        const keys = Array.from({ length: storage?.length ?? 0 }, (_, at) => storage?.key(at));
        for (const key of keys) if (key?.startsWith(PREFIX)) storage?.removeItem(key);
      } catch {
        // What may not be read was not written either.
      }
    },
  };
}

function keyOf(type: string): string {
  return `${PREFIX}${type}`;
}
