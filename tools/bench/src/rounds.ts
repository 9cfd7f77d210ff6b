import { median, round } from './measure.js';
import type { Aim, Figure, Row } from './report.js';

type Figures = Readonly<Record<string, Figure>>;

/** The figures of all rounds, by what they are of. */
export class Rounds {
  private readonly series = new Map<string, { readonly of: Row; readonly figures: Map<string, Figure[]> }>();

  /** Notes what one round gave. `of` says what it is of, the same in each round. */
  add(of: Row, figures: Figures): void {
    const key = JSON.stringify(of);
    const known = this.series.get(key) ?? { of, figures: new Map<string, Figure[]>() };
    for (const [name, figure] of Object.entries(figures))
      known.figures.set(name, [...(known.figures.get(name) ?? []), figure]);
    this.series.set(key, known);
  }

  /** The median of a figure, or why there is none. */
  median(of: Row, name: string): Figure {
    const figures = this.figuresOf(of, name);
    return figures.find((figure) => typeof figure === 'string') ?? median(figures as number[]);
  }

  /** `24.2 (21–26.5)`: the median with the least and the most. */
  range(of: Row, name: string): string {
    const middle = this.median(of, name);
    if (typeof middle === 'string') return middle;
    const figures = this.figuresOf(of, name) as number[];
    return `${legible(middle)} (${legible(Math.min(...figures))}–${legible(Math.max(...figures))})`;
  }

  /** A row of the table for each that was measured. */
  rows(): Row[] {
    return [...this.series.values()].map(({ of, figures }) => ({
      ...of,
      ...Object.fromEntries([...figures.keys()].map((name) => [name, this.range(of, name)])),
    }));
  }

  /** What every round gave, in their order. */
  raw(): Readonly<Record<string, string | number | readonly Figure[]>>[] {
    return [...this.series.values()].map(({ of, figures }) => ({
      ...of,
      ...Object.fromEntries([...figures].map(([name, values]) => [name, values.map(exact)])),
    }));
  }

  /** An aim for the median of a figure. */
  aim(of: Row, name: string, aim: Omit<Aim, 'value'>): Aim {
    return { ...aim, value: exact(this.median(of, name)) };
  }

  private figuresOf(of: Row, name: string): readonly Figure[] {
    const figures = this.series.get(JSON.stringify(of))?.figures.get(name);
    if (!figures) throw new Error(`No round has measured "${name}" of ${JSON.stringify(of)}.`);
    return figures;
  }
}

const DIGITS_LEGIBLE = 3;
const legible = (figure: number): number => Number(figure.toPrecision(DIGITS_LEGIBLE));
const exact = (figure: Figure): Figure => (typeof figure === 'string' ? figure : round(figure, 3));
