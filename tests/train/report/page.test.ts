import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { pathToFileURL } from 'node:url';
import { classificationReport } from '../../../src/train/index.js';
import { exampleReport } from './example.js';

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

test('the report opens in a browser: nothing is fetched, nothing fails, nothing sticks out', {
  skip: browser ? false : 'chromium is not installed',
}, async () => {
  const { chromium } = await import('playwright-core');
  const folder = await mkdtemp(join(tmpdir(), 'kiln-page-'));
  const files = await classificationReport(exampleReport());
  const page = join(folder, 'report.html');
  await writeFile(page, files.get('report.html')!);
  const running = await chromium.launch({ executablePath: browser!, args: ['--no-sandbox'] });
  try {
    for (const width of [1200, 400]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const tab = await running.newPage({ viewport: { width, height: 900 }, colorScheme });
        const trouble: string[] = [];
        tab.on('console', (message) => {
          if (message.type() === 'error') trouble.push(message.text());
        });
        tab.on('pageerror', (error) => trouble.push(error.message));
        tab.on('request', (request) => {
          if (!request.url().startsWith('file:') && !request.url().startsWith('data:'))
            trouble.push(`fetches ${request.url()}`);
        });
        await tab.goto(pathToFileURL(page).href);
        assert.deepEqual(trouble, []);
        // evaluated in the page, whose types this project does not load
        const sticksOut = await tab.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        assert.equal(sticksOut, 0, `${width} px, ${colorScheme}`);
        assert.equal(await tab.locator('table th[scope="col"]').first().isVisible(), true);
        await tab.close();
      }
    }
  } finally {
    await running.close();
  }
});
