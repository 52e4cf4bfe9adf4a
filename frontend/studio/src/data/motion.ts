/** Whether the reader asked their system for less motion. */
export function movesLittle(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
