/** Style sheet of the report: one column of cards, two charts side by side where there is room, light and dark. */
import { type ColorName, fontFamily, palette } from './palette.js';

const variables = (shade: 'light' | 'dark'): string =>
  (Object.keys(palette) as ColorName[]).map((name) => `--${name}:${palette[name][shade]}`).join(';');

export const pageStyle = `
:root{color-scheme:light dark;${variables('light')};--page:#f6f4f1;--tint:color-mix(in srgb,var(--text) 4%,transparent)}
@media (prefers-color-scheme:dark){:root{${variables('dark')};--page:#151412}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.55 ${fontFamily};-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:48px 24px 72px}
header p{margin:0;color:var(--muted);max-width:68ch}
h1{margin:0 0 8px;font-size:34px;line-height:1.15;letter-spacing:-.02em;font-weight:700;text-wrap:balance}
h2{margin:52px 0 4px;font-size:21px;line-height:1.3;letter-spacing:-.01em;font-weight:650}
h2+.lead{margin:0 0 16px;color:var(--muted);max-width:68ch}
h2:not(:has(+.lead)){margin-bottom:16px}
.mark{display:flex;align-items:center;gap:8px;margin-bottom:20px;color:var(--muted);font-size:14px;font-weight:600;letter-spacing:.02em}
.mark svg{width:22px;height:22px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:28px 0 0}
.facts div{background:var(--surface);border:1px solid var(--line);border-radius:12px;padding:14px 16px}
.facts dt{color:var(--muted);font-size:13px}
.facts dd{margin:2px 0 0;font-size:24px;line-height:1.25;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.card{background:var(--surface);border:1px solid var(--line);border-radius:14px;padding:16px;margin:0 0 20px;min-width:0}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:20px;align-items:start;margin-bottom:20px}
.pair>.card{margin:0}
figure{margin:0}
figure.card{padding:8px 8px 14px;display:flex;flex-direction:column;align-items:center}
figure.card>svg{width:100%;max-width:520px}
figure.card>figcaption{align-self:stretch;padding:6px 8px 0;color:var(--muted);font-size:14px;line-height:1.45}
.scroll{overflow-x:auto;border-radius:8px}
.scroll:focus-visible{outline:2px solid var(--train);outline-offset:3px}
table{border-collapse:collapse;width:100%;font-size:15px;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);font-size:14px;padding:0 10px 8px}
th,td{padding:7px 10px;text-align:left;font-weight:400;vertical-align:top}
thead th{color:var(--muted);font-size:13px;font-weight:600;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:bottom}
tbody tr+tr>*{border-top:1px solid color-mix(in srgb,var(--line) 60%,transparent)}
tfoot>tr:first-child>*{border-top:1.5px solid var(--line)}
tfoot th,tfoot td{font-weight:600}
.number{text-align:right;white-space:nowrap}
.confusion{width:auto;min-width:100%}
.confusion th,.confusion td{padding:6px 9px}
.confusion thead tr:first-child>*{border:0;text-align:center;padding-bottom:0}
.confusion tbody th{font-weight:600;position:sticky;left:0;background:var(--surface)}
.confusion .zero{color:color-mix(in srgb,var(--muted) 55%,transparent)}
.confusion .right{background:color-mix(in srgb,var(--right) 16%,transparent);font-weight:600}
.confusion .wrong{background:color-mix(in srgb,var(--wrong) 16%,transparent)}
.confusion .edge,.confusion tfoot td{color:var(--muted);font-weight:400}
.images{display:grid;grid-template-columns:repeat(auto-fill,minmax(64px,1fr));gap:16px 8px;justify-items:center}
.images figure{text-align:center}
.images img{display:block;width:56px;height:56px;object-fit:contain;image-rendering:pixelated;border-radius:6px}
.images .ink{background:#fff}
.images figcaption{margin-top:4px;font-size:15px;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums}
.images figcaption span+span{margin-left:5px}
.colored figcaption{margin-bottom:8px;font-weight:600}
.colored pre{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55}
.colored .low{background:color-mix(in srgb,var(--blue) var(--a),transparent)}
.colored .high{background:color-mix(in srgb,var(--third) var(--a),transparent)}
.red{color:var(--red)}.blue{color:var(--blue)}.muted{color:var(--muted)}
pre{margin:0;overflow-x:auto;font:14px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{margin-top:52px;padding-top:16px;border-top:1px solid var(--line);color:var(--muted);font-size:14px}
@media (prefers-color-scheme:dark){.images .ink{filter:invert(1);mix-blend-mode:lighten}}
@media (max-width:560px){main{padding:28px 14px 48px}h1{font-size:27px}h2{margin-top:40px}.facts{grid-template-columns:1fr 1fr}.facts dd{font-size:20px}.card{padding:12px;border-radius:12px}figure.card{padding:4px 4px 10px}table{font-size:14px}th,td{padding:6px 7px}.confusion th,.confusion td{padding:6px}caption{padding-left:7px}}
@media print{body{background:#fff}.card,.facts div{break-inside:avoid}}
`.trim();
