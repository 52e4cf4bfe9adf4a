/** Durations, sizes and moments in the reader's language. Pure: the present is an argument. */

export interface Formats {
  /** How long something takes or took: "12 s", "3 min". */
  duration(seconds: number): string;
  /** How long ago, or when: "2 minutes ago". */
  ago(moment: string, now: number): string;
  /** The same where there is little room: "2 min. ago". */
  agoShort(moment: string, now: number): string;
  moment(moment: string): string;
  /** The time of day. */
  time(moment: string): string;
  bytes(count: number): string;
  number(value: number, digits?: number): string;
  /** A part of the whole: "98 %". */
  share(part: number): string;
}

const STEPS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

export function formatsFor(locale: string): Formats {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const short = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "narrow" });
  const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  const times = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const shares = new Intl.NumberFormat(locale, { style: "percent" });
  const unit = (name: string, value: number, digits = 0) =>
    new Intl.NumberFormat(locale, {
      style: "unit",
      unit: name,
      unitDisplay: "short",
      maximumFractionDigits: digits,
    }).format(value);
  return {
    duration(seconds) {
      if (seconds < 1) return unit("millisecond", Math.round(seconds * 1000));
      if (seconds < 10) return unit("second", seconds, 1);
      if (seconds < 90) return unit("second", Math.round(seconds));
      if (seconds < 5_400) return unit("minute", Math.round(seconds / 60));
      return unit("hour", seconds / 3_600, 1);
    },
    ago: (moment, now) => relative.format(...distance(moment, now)),
    agoShort: (moment, now) => short.format(...distance(moment, now)),
    moment: (moment) => moments.format(Date.parse(moment)),
    time: (moment) => times.format(Date.parse(moment)),
    bytes(count) {
      if (count < 1_000) return unit("byte", count);
      if (count < 1_000_000) return unit("kilobyte", count / 1_000);
      return unit("megabyte", count / 1_000_000, 1);
    },
    share: (part) => shares.format(part),
    number: (value, digits = 0) =>
      new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value),
  };
}

function distance(moment: string, now: number): [number, Intl.RelativeTimeFormatUnit] {
  const seconds = (Date.parse(moment) - now) / 1000;
  for (const [name, size] of STEPS) {
    if (Math.abs(seconds) >= size) return [Math.trunc(seconds / size), name];
  }
  return [Math.abs(seconds) < 5 ? 0 : Math.trunc(seconds), "second"];
}
