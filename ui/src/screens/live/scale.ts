// Where the points of a chart lie.

/** The height of a chart's axis: the lowest of 1, 2 or 5 times a power of ten that is not below any value. */
export function top(values: readonly (number | null)[]): number {
  const highest = Math.max(0, ...values.map((value) => value ?? 0));
  if (highest <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= highest) ?? highest;
}

/**
 * Returns the line through the values as a path, and the area below each of its parts. The latest value is at the
 * right edge, and `slots` values fit. A value that is null interrupts the line.
 */
export function paths(
  values: readonly (number | null)[],
  slots: number,
  size: { readonly width: number; readonly height: number },
): { readonly line: string; readonly area: string } {
  const highest = top(values);
  const x = (index: number) => round(size.width * (1 - (values.length - 1 - index) / (slots - 1)));
  const y = (value: number) => round(size.height * (1 - value / highest));
  let line = '';
  let area = '';
  let begun: number | null = null;
  values.forEach((value, index) => {
    if (value === null) return;
    if (begun === null) {
      begun = index;
      line += `M${x(index)} ${y(value)}`;
      area += `M${x(index)} ${size.height}L${x(index)} ${y(value)}`;
    } else {
      line += `L${x(index)} ${y(value)}`;
      area += `L${x(index)} ${y(value)}`;
    }
    if ((values[index + 1] ?? null) === null) {
      area += `L${x(index)} ${size.height}Z`;
      begun = null;
    }
  });
  return { line, area };
}

function round(coordinate: number): number {
  return Math.round(coordinate * 100) / 100;
}
