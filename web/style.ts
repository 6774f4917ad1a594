// The one style sheet: paper, ink, a seal red; works from 320 px, without script, in print.
export const styleSheet = `
:root { --paper:#faf8f4; --card:#fff; --ink:#1d2733; --soft:#5b6672; --line:#ddd8ce; --seal:#b3261e; --blue:#14507a;
  --good:#1c6b3c; --warn:#8a5a00; --radius:10px; color-scheme: light; }
* { box-sizing: border-box; }
html { font: 17px/1.65 "PingFang SC","Noto Sans SC","Microsoft YaHei",system-ui,-apple-system,"Segoe UI",sans-serif; }
body { margin:0; background:var(--paper); color:var(--ink); min-height:100vh; display:flex; flex-direction:column; }
a { color:var(--blue); text-underline-offset:.2em; }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, textarea:focus-visible, summary:focus-visible
  { outline:3px solid #e0a100; outline-offset:2px; }
.skip { position:absolute; left:-999px; } .skip:focus { left:1rem; top:1rem; background:#fff; padding:.5rem 1rem; z-index:9; }
header.top { background:var(--card); border-bottom:3px solid var(--seal); }
.bar { max-width:68rem; margin:0 auto; padding:.7rem 1rem; display:flex; flex-wrap:wrap; gap:.4rem 1.2rem; align-items:center; }
.brand { display:flex; align-items:center; gap:.7rem; text-decoration:none; color:inherit; margin-right:auto; }
.mark { width:2.5rem; height:2.5rem; border:2px solid var(--seal); border-radius:6px; color:var(--seal); font-weight:700;
  display:grid; place-items:center; font-size:.95rem; line-height:1; letter-spacing:-.03em; }
.brand small { display:block; color:var(--soft); font-size:.78rem; line-height:1.3; }
nav ul { display:flex; flex-wrap:wrap; gap:.2rem 1.1rem; list-style:none; margin:0; padding:0; }
nav a { text-decoration:none; padding:.3rem 0; display:inline-block; border-bottom:2px solid transparent; }
nav a:hover, nav a[aria-current] { border-bottom-color:var(--seal); }
.who { display:flex; gap:.8rem; align-items:center; font-size:.9rem; color:var(--soft); }
main { flex:1; width:100%; max-width:68rem; margin:0 auto; padding:1.5rem 1rem 3rem; }
h1 { text-wrap:balance; font-size:1.7rem; line-height:1.3; margin:.6rem 0 .4rem; } h2 { font-size:1.2rem; margin:2.2rem 0 .6rem; }
.lead { color:var(--soft); max-width:42rem; margin-top:0; }
.hero { padding:1.5rem 0 1rem; } .hero h1 { font-size:2.1rem; }
.cards { display:grid; gap:1rem; grid-template-columns:repeat(auto-fill,minmax(min(100%,19rem),1fr)); padding:0; margin:1rem 0; list-style:none; }
.card { background:var(--card); border:1px solid var(--line); border-radius:var(--radius); padding:1.1rem 1.2rem; }
.card h2, .card h3 { margin:0 0 .3rem; font-size:1.08rem; } .card p { margin:.2rem 0; }
.licence { border-top:4px solid var(--blue); } .licence.bad { border-top-color:var(--seal); }
dl { display:grid; grid-template-columns:fit-content(40%) minmax(0,1fr); gap:.15rem .9rem; margin:.6rem 0 0; } dt { color:var(--soft); } dd { margin:0; overflow-wrap:anywhere; }
code, .mono { font-family:ui-monospace,"SF Mono",Menlo,Consolas,monospace; font-size:.88em; overflow-wrap:anywhere; }
.qr { width:11rem; height:11rem; display:block; margin:.6rem 0; border:1px solid var(--line); } summary { cursor:pointer; color:var(--blue); margin-top:.6rem; }
.tag { display:inline-block; border:1px solid currentColor; border-radius:999px; padding:0 .6rem; font-size:.82rem; line-height:1.6; white-space:nowrap; }
.tag.good { color:var(--good); } .tag.bad { color:var(--seal); } .tag.warn { color:var(--warn); }
form { margin:0; } form.stack { max-width:34rem; margin-bottom:1.4rem; } .card form.stack { margin-bottom:0; } .field { margin:0 0 1.1rem; } label, legend { font-weight:600; display:block; margin-bottom:.25rem; }
label.choice { font-weight:400; margin:0; } fieldset { border:1px solid var(--line); border-radius:6px; padding:.6rem 1rem; } fieldset p { margin:.2rem 0; }
.hint { color:var(--soft); font-size:.88rem; margin:.1rem 0 .3rem; font-weight:400; }
input:not([type]), input[type=text], input[type=password], input[type=search], input[type=number], input[type=date], select, textarea { width:100%; font:inherit; padding:.55rem .7rem; border:1px solid #8c8f94; border-radius:6px; background:#fff; color:inherit; min-height:2.9rem; }
.field.wrong input, .field.wrong select { border:2px solid var(--seal); } .wrong .message { color:var(--seal); font-weight:600; margin:.2rem 0; }
button { font:inherit; font-weight:600; min-height:2.9rem; padding:.5rem 1.4rem; border-radius:6px; border:1px solid var(--blue); background:var(--blue); color:#fff; cursor:pointer; }
a.button { display:inline-block; font-weight:600; padding:.6rem 1.4rem; border-radius:6px; background:var(--blue); color:#fff; text-decoration:none; }
button.quiet { background:transparent; color:var(--blue); } button.link { border:0; background:none; color:var(--blue); text-decoration:underline; padding:0 .2rem; min-height:2rem; font-weight:400; }
.row { display:flex; flex-wrap:wrap; gap:.8rem; align-items:end; } .row .grow { flex:1 1 16rem; }
.summary { border:2px solid var(--seal); border-radius:var(--radius); background:#fff; padding:.8rem 1.2rem; margin:1rem 0; } .summary h2 { margin:0; color:var(--seal); }
.notice { border-left:4px solid var(--warn); background:#fff8e6; padding:.6rem 1rem; margin:1rem 0; border-radius:0 6px 6px 0; }
.notice.good { border-left-color:var(--good); background:#edf7f0; } .notice.bad { border-left-color:var(--seal); background:#fdeeee; }
.verdict { font-size:1.5rem; font-weight:700; margin:.2rem 0; } .verdict.good { color:var(--good); } .verdict.bad { color:var(--seal); } .verdict.warn { color:var(--warn); }
.scroll { overflow-x:auto; } pre.scroll { white-space:pre-wrap; overflow-wrap:anywhere; } table { border-collapse:collapse; width:100%; background:var(--card); font-size:.93rem; } th, td { text-align:left; vertical-align:top; padding:.5rem .7rem; border-bottom:1px solid var(--line); } thead th { color:var(--soft); font-weight:600; border-bottom:2px solid var(--line); white-space:nowrap; } caption { text-align:left; color:var(--soft); padding:.3rem 0; }
.plain { list-style:none; padding:0; margin:0; } .plain > li > p { margin:.15rem 0; } .plain > li > form, .plain > li > .row, dl + form { margin-top:.8rem; } .plain > li { padding:.9rem 0; border-bottom:1px solid var(--line); } .row.plain { margin-bottom:1.4rem; } .row.plain > li { padding:0; border:0; } button + .field { margin-top:1.1rem; }
.pager { display:flex; gap:1.5rem; margin:1.2rem 0; } .muted { color:var(--soft); }
section.acting { background:#fff1d6; border-bottom:3px solid var(--warn); } section.acting p { margin:0; flex:1 1 16rem; }
fieldset { border:1px solid #8c8f94; border-radius:6px; margin:0 0 1.1rem; padding:.7rem .9rem; } fieldset.wrong { border:2px solid var(--seal); } fieldset label { font-weight:400; display:flex; gap:.6rem; align-items:baseline; padding:.25rem 0; margin:0; } fieldset input { width:1.1rem; height:1.1rem; flex:none; }
footer { border-top:1px solid var(--line); color:var(--soft); font-size:.85rem; } footer .bar { align-items:start; } footer p { margin:.1rem 0; }
@media (max-width:40rem) { .hero h1 { font-size:1.6rem; } table.fold thead { display:none; } table.fold tr { display:block; padding:.6rem 0; border-bottom:1px solid var(--line); } table.fold td { display:flow-root; border:0; padding:.15rem .2rem .15rem 7.2rem; min-height:1.9rem; } table.fold td::before { content:attr(data-label); color:var(--soft); float:left; margin-left:-7rem; width:6.6rem; } }
@media print { header.top nav, .who, form, .skip { display:none; } body { background:#fff; } }
`.trim();

/** Reads the code from the address fragment, which never reaches a server, and fills the form. */
export const verifyScript = `
const code = decodeURIComponent(location.hash.slice(1)).split('.')[0];
const input = document.querySelector('input[name=code]');
if (code && input) { input.value = code; input.form.requestSubmit(); }
`.trim();
