/** How long to wait after so many failures in a row: twice as long each time, with full jitter. */
export function backoffMs(failures: number, random: number, baseMs = 500, mostMs = 15_000): number {
  return Math.min(mostMs, baseMs * 2 ** Math.max(0, failures - 1)) * (0.5 + random / 2);
}

/** Wait; rejects with the signal's reason when that is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(end, ms);
    function end() {
      signal?.removeEventListener("abort", end);
      clearTimeout(timer);
      if (signal?.aborted) reject(signal.reason);
      else resolve();
    }
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
}
