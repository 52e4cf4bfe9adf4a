/** Figures for the operations page, from the Prometheus text of the gateway. Pure. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Every sample of a Prometheus text; lines that are none are left out. */
export function readSamples(text: string): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) continue;
    const value = match[3] === "+Inf" ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (Number.isNaN(value)) continue;
    samples.push({ name: match[1] ?? "", labels: readLabels(match[2] ?? ""), value });
  }
  return samples;
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)) {
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) =>
      escaped === "n" ? "\n" : escaped,
    );
  }
  return labels;
}

/** The sum over all labels. */
export function total(samples: readonly Sample[], name: string): number {
  return samples.reduce((sum, each) => (each.name === name ? sum + each.value : sum), 0);
}

export interface Reading {
  /** Milliseconds. */
  readonly at: number;
  readonly samples: readonly Sample[];
}

/** How fast a counter grew between two readings, per minute; null when it was reset. */
export function perMinute(earlier: Reading, later: Reading, name: string): number | null {
  const grown = total(later.samples, name) - total(earlier.samples, name);
  const minutes = (later.at - earlier.at) / 60_000;
  return minutes > 0 && grown >= 0 ? grown / minutes : null;
}

/** A quantile of a histogram in seconds, interpolated in its bucket; null without observations. */
export function quantile(samples: readonly Sample[], name: string, q: number): number | null {
  const buckets = samples
    .filter((each) => each.name === `${name}_bucket`)
    .map((each) => ({
      most: each.labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(each.labels.le),
      count: each.value,
    }))
    .sort((a, b) => a.most - b.most);
  const count = buckets.at(-1)?.count ?? 0;
  if (count === 0) return null;
  const rank = q * count;
  let lower = { most: 0, count: 0 };
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      if (!Number.isFinite(bucket.most)) return lower.most;
      const inside = bucket.count - lower.count;
      const share = inside === 0 ? 1 : (rank - lower.count) / inside;
      return lower.most + (bucket.most - lower.most) * share;
    }
    lower = bucket;
  }
  return lower.most;
}
