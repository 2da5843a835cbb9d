import pc from 'picocolors';

/** The colours that the view and the terminal's log lines use. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** @param coloured false leaves texts as they are */
export function createPalette(coloured: boolean): Palette {
  return pc.createColors(coloured);
}
