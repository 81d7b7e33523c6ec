import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coloredTextHtml } from '../../../src/train/index.js';

test('characters are coloured by their values, neighbours of one shade together', () => {
  const html = coloredTextHtml({ title: 'a < b', characters: [...'ab<\nde'], values: [1, 0.97, -0.5, 0, -2, 0.01] });
  assert.equal(
    html,
    '<figure class="colored"><figcaption>a &#60; b</figcaption><pre tabindex="0">' +
      '<span class="high" style="--a:70%">ab</span><span class="low" style="--a:28%">&#60;</span>↵\n' +
      '<span class="low" style="--a:70%">d</span>e</pre></figure>',
  );
});
