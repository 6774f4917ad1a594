// The offline verifier as files to save: one page and one program, bundled from verifier/ once.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const style = `
body{font:17px/1.65 "PingFang SC","Noto Sans SC",system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem;background:#faf8f4;color:#1d2733}
label{display:block;font-weight:600;margin-top:1.2rem}.hint{color:#5b6672;font-size:.9rem;margin:.1rem 0 .3rem}
textarea{width:100%;box-sizing:border-box;font:.85rem/1.5 ui-monospace,monospace;padding:.5rem;border:1px solid #8a94a0;border-radius:6px}
input[type=file]{margin:.4rem 0;max-width:100%}button{font:inherit;font-weight:600;min-height:2.9rem;padding:.5rem 1.6rem;margin-top:1.2rem;border:0;border-radius:6px;background:#14507a;color:#fff}
#result{margin-top:1.5rem;padding:0 1.2rem;border-left:5px solid #ddd8ce;background:#fff}#result.good{border-color:#1c6b3c}#result.bad{border-color:#b3261e}
#result p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}h1{font-size:1.5rem}
:focus-visible{outline:3px solid #e0a100;outline-offset:2px}`;

const fields = [
  {
    id: 'receipt',
    rows: 8,
    label: '收录证明 Receipt',
    hint: '“谁查看过我”里下载的收录证明，或 tlog-proof 文本 · as saved from “who looked”, or a plain tlog-proof',
  },
  {
    id: 'vkey',
    rows: 2,
    label: '日志公钥 Key of the log',
    hint: '来自可信途径，例如公报或 /log/vkey · from a source you trust, such as a gazette, or /log/vkey',
  },
  {
    id: 'policy',
    rows: 4,
    label: '见证方策略（可选） Witness policy (optional)',
    hint: '填写后还须有足够的外部见证 · when given, enough outside witnesses must have signed too',
  },
  {
    id: 'keys',
    rows: 3,
    label: '历次公钥清单（可选） List of keys (optional)',
    hint: '日志更换公钥或恢复备份后，从 /log/vkeys 保存 · from /log/vkeys, when the log has had another key or a restore since',
  },
];

interface OfflineVerifier {
  /** A page that needs no network and allows itself none. */
  html: string;
  /** A program for Node.js. */
  program: string;
}

let made: OfflineVerifier | undefined;

/** Bundled on the first call, in about 30 ms; the same from then on. */
export function offlineVerifier(): OfflineVerifier {
  made ??= { html: page(bundle('page.ts', 'iife')), program: bundle('node.ts', 'esm') };
  return made;
}

function bundle(entry: string, format: 'iife' | 'esm'): string {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL(`../verifier/${entry}`, import.meta.url))],
    bundle: true,
    write: false,
    format,
    platform: format === 'iife' ? 'browser' : 'node',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
  });
  return outputFiles[0]?.text ?? '';
}

function page(script: string): string {
  const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  const policy = `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}`;
  const inputs = fields.map(
    ({ id, rows, label, hint }) => `
<label for="${id}">${label}</label><p class="hint" id="${id}-hint">${hint}</p>
<textarea id="${id}" rows="${rows}" spellcheck="false" aria-describedby="${id}-hint"></textarea>
<input type="file" data-into="${id}" aria-label="${label}">`,
  );
  return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>一号 离线核验 · Yihao offline verifier</title><style>${style}</style></head>
<body><main><h1>离线核验 <span lang="en">Offline verifier</span></h1>
<p>本页只在您的电脑上运行，不连接网络。 <span lang="en">This page runs on your own machine and connects to nothing.</span></p>
<form id="form">${inputs.join('')}
<p><button>核验 <span lang="en">Check</span></button></p></form>
<div id="result" role="status" tabindex="-1"></div></main>
<script>${script}</script></body></html>
`;
}
