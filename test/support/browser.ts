/**
 * A headless Chromium for tests of pages. It is whichever is installed: `MMDC_CHROMIUM` names one, else the usual places
 * are tried. Tests skip themselves, with a message, where there is none.
 */
import { accessSync, constants } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  process.env.MMDC_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The browser's program, or undefined where none is installed. */
export const browserPath = PLACES.find((path) => path !== undefined && executable(path));

/** What a skipped test says: use as `describe.skipIf(!browserPath)(...)` beside a title that ends with it. */
export const needsBrowser = browserPath ? '' : ' (skipped: no Chromium; set MMDC_CHROMIUM to one)';

/** Starts the browser. The caller closes it. It asks the network for nothing on its own. */
export function launchBrowser(): Promise<Browser> {
  if (!browserPath) throw new Error('there is no Chromium to start');
  return chromium.launch({
    executablePath: browserPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
