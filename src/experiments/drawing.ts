import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/**
 * Figures as SVG texts: panels by Observable Plot in rows, under one title and one legend. Nothing depends on a clock,
 * on chance or on earlier figures, so the same data give the same bytes.
 */

export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  /** As SVG's stroke-dasharray; with it the entry is a line, without it a square. */
  readonly dash?: string;
}

export interface Panel {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly options: Omit<Plot.PlotOptions, 'width' | 'height' | 'document' | 'style' | 'title'>;
}

export interface Figure {
  readonly title: string;
  /** Paragraphs that say what the marks are, how many seeds there are, and what was left out. */
  readonly notes: readonly string[];
  readonly legend: readonly LegendEntry[];
  /** Rows of panels. */
  readonly panels: readonly (readonly Panel[])[];
}

/**
 * Colours that the colour-blind can tell apart: those of Okabe & Ito (2008) without the yellow, which is too faint on
 * white, then darker ones of Tol's "muted" scheme (2021).
 */
const PALETTE = [
  '#0072B2',
  '#D55E00',
  '#009E73',
  '#CC79A7',
  '#E69F00',
  '#56B4E9',
  '#000000',
  '#882255',
  '#332288',
  '#999933',
] as const;

export const GREY = '#9e9e9e';
const DASHES = ['none', '7 3', '2 3', '9 3 2 3', '5 2 1 2 1 2'] as const;
const FONT = 'Helvetica, Arial, "DejaVu Sans", sans-serif';
const MARGIN = 20;
const GAP = 24;
const PANEL_TITLE = 24;
/** Mean width of a letter, as a share of the font's size. */
const LETTER = 0.56;

export function colourOf(index: number): string {
  return PALETTE[index % PALETTE.length] ?? GREY;
}

/** Lines also differ by their dashes, for prints in grey. Lines with the same colour have different dashes. */
export function dashOf(index: number): string {
  return DASHES[(index + Math.floor(index / PALETTE.length)) % DASHES.length] ?? 'none';
}

/** The figure as an SVG document: white ground, generic fonts, no external references. */
export function drawn({ title, notes, legend, panels }: Figure): string {
  const widths = panels.map((row) => row.reduce((sum, { width }) => sum + width, (row.length - 1) * GAP));
  const width = 2 * MARGIN + Math.max(...widths);
  const parts: string[] = [];
  let y = MARGIN;
  const text = (content: string, size: number, style: string): void => {
    for (const line of wrapped(content, (width - 2 * MARGIN) / (LETTER * size))) {
      y += size;
      parts.push(`<text x="${MARGIN}" y="${y}" font-size="${size}" ${style}>${escaped(line)}</text>`);
      y += Math.round(0.4 * size);
    }
  };
  text(title, 17, 'font-weight="bold" fill="#111"');
  for (const note of notes) text(note, 12, 'fill="#555"');
  y += 8;
  const drawnLegend = legendRows(legend, y, width - 2 * MARGIN);
  parts.push(...drawnLegend.parts);
  y = drawnLegend.bottom;
  for (const row of panels) {
    let x = MARGIN;
    y += PANEL_TITLE;
    for (const panel of row) {
      if (panel.title !== '') {
        parts.push(
          `<text x="${x}" y="${y - 6}" font-size="13" font-weight="bold" fill="#333">${escaped(panel.title)}</text>`,
        );
      }
      parts.push(plotted(panel, x, y));
      x += panel.width + GAP;
    }
    y += Math.max(...row.map(({ height }) => height)) + 4;
  }
  const height = y + MARGIN - 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family='${FONT}' role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function plotted({ width, height, options }: Panel, x: number, y: number): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ ...options, width, height, document, style: { fontSize: '12px', color: '#222' } });
  svg.setAttribute('x', String(x));
  svg.setAttribute('y', String(y));
  // Plot's style sheet is for web pages: it would stretch the panel and use the page's font.
  for (const style of svg.querySelectorAll('style')) style.remove();
  for (const name of ['class', 'style']) svg.removeAttribute(name);
  svg.setAttribute('font-size', '12');
  svg.setAttribute('font-family', FONT);
  return svg.outerHTML;
}

function legendRows(
  legend: readonly LegendEntry[],
  top: number,
  width: number,
): { readonly parts: readonly string[]; readonly bottom: number } {
  const parts: string[] = [];
  let [x, y] = [0, top];
  for (const { name, colour, dash } of legend) {
    const taken = 30 + name.length * LETTER * 13 + 20;
    if (x > 0 && x + taken > width) [x, y] = [0, y + 20];
    const left = MARGIN + x;
    parts.push(
      dash === undefined
        ? `<rect x="${left}" y="${y + 1}" width="14" height="12" fill="${colour}"/>`
        : `<line x1="${left}" x2="${left + 26}" y1="${y + 7}" y2="${y + 7}" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/>`,
      `<text x="${left + (dash === undefined ? 20 : 32)}" y="${y + 12}" font-size="13" fill="#222">${escaped(name)}</text>`,
    );
    x += taken;
  }
  return { parts, bottom: legend.length === 0 ? y : y + 20 };
}

function wrapped(text: string, letters: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > letters) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** As XML has it; characters that XML does not allow at all are replaced. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that XML forbids.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
  );
}
