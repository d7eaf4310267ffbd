// A small chart of one figure over the last five minutes.
import { shownLanguage, t } from '../../text';
import { once } from '../../text/format';
import { MAX_SAMPLES } from './history';
import { paths, top } from './scale';

const SIZE = { width: 300, height: 56 };

export type ChartProps = { label: string; values: readonly (number | null)[] };

export function Chart({ label, values }: ChartProps) {
  const { line, area } = paths(values, MAX_SAMPLES, SIZE);
  const latest = values.at(-1) ?? null;
  const highest = Math.max(0, ...values.map((value) => value ?? 0));
  const said = t('live.chart', { what: label, value: figure(latest), top: figure(highest) });
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={said}
      >
        <path class="chart-area" d={area} />
        <path class="chart-line" d={line} vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption>{t('live.chartScale', { top: figure(top(values)) })}</figcaption>
    </figure>
  );
}

export type BarsProps = { label: string; values: readonly number[] };

/** One bar per value. `label` says what screen readers are told of it. */
export function Bars({ label, values }: BarsProps) {
  const highest = top(values);
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${values.length} ${SIZE.height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={label}
      >
        {values.map((value, index) => {
          const height = (SIZE.height * value) / highest;
          return (
            <rect
              key={index}
              class="chart-bar"
              x={index + 0.1}
              y={SIZE.height - height}
              width={0.8}
              height={height}
            />
          );
        })}
      </svg>
      <figcaption>{t('live.barsScale', { top: figure(highest), count: values.length })}</figcaption>
    </figure>
  );
}

const wholeFormat = once((language) => new Intl.NumberFormat(language, { maximumFractionDigits: 0 }));
const decimalFormat = once(
  (language) => new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
);

/** Writes a number as the shown language does, small ones with one decimal. */
export function figure(value: number | null): string {
  if (value === null) return '–';
  const isWhole = value >= 100 || Number.isInteger(value);
  return (isWhole ? wholeFormat : decimalFormat)(shownLanguage.value).format(value);
}
