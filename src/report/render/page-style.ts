/** The style sheet of the report page. A constant: its digest stands in the page's content policy. */
export const PAGE_STYLE = `
:root{--page:#f6f6f3;--card:#fff;--ink:#1d2126;--quiet:#59636d;--line:#dcdfe2;--soft:#eef0ef;--link:#235a8c;
--good:#1b7048;--warn:#8a5a00;--bad:#a9322a;--open:#54549a;--good-bg:#e8f3ec;--warn-bg:#fbf1dc;--bad-bg:#fbeae8;--open-bg:#ededf8;
--c0:#2f6f9f;--c1:#c0692b;--c2:#8a4f9e;color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--page:#14171a;--card:#1b1f23;--ink:#e6e8ea;--quiet:#a0a9b2;--line:#31373d;--soft:#23282d;--link:#86b8e6;
--good:#6cc896;--warn:#e2b35a;--bad:#f0938a;--open:#b0b0f0;--good-bg:#182a20;--warn-bg:#2c2413;--bad-bg:#2f1b19;--open-bg:#20203a;
--c0:#6db1e2;--c1:#e89a5d;--c2:#c79bd8}}
*{box-sizing:border-box}
html{scroll-padding-top:3.5rem;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:68rem;padding:1.25rem clamp(.9rem,3vw,2rem) 3rem;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
h1,h2,h3,h4,h5,h6{line-height:1.25;margin:0;text-wrap:balance}
h2{font-size:1.4rem;margin:3rem 0 .75rem}
h3{font-size:1.08rem;margin:1.75rem 0 .6rem}
p{margin:.4rem 0}
a{color:var(--link);text-underline-offset:.15em}
a:focus-visible,summary:focus-visible,pre:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.86em;unicode-bidi:isolate}
code{background:var(--soft);border-radius:3px;padding:.08em .3em}
pre{background:var(--soft);border-radius:6px;padding:.6rem .75rem;margin:.4rem 0;overflow:auto;white-space:pre-wrap;max-height:24rem;line-height:1.45}
pre code{background:none;padding:0}
.quiet{color:var(--quiet);font-weight:400}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.open{color:var(--open)}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.outcome{--tone:var(--quiet);background:var(--card);color:var(--ink);border:1px solid var(--line);border-top:6px solid var(--tone);border-radius:12px;padding:1.4rem clamp(1rem,3vw,1.9rem)}
.outcome.good{--tone:var(--good)}.outcome.warn{--tone:var(--warn)}.outcome.bad{--tone:var(--bad)}.outcome.open{--tone:var(--open)}
.eyebrow{margin:0;color:var(--quiet);font-size:.95rem}
.verdict{display:flex;flex-wrap:wrap;align-items:end;gap:.5rem 3rem;margin:.2rem 0 .6rem}
h1{font-size:clamp(2rem,6vw,2.9rem);letter-spacing:-.02em;color:var(--tone)}
.score{flex:1 1 16rem;min-width:0}
.score p{margin:0;line-height:1.3}
.score strong{font-size:1.7rem;font-variant-numeric:tabular-nums}
.score .bar+p{font-size:.86rem}
.bar{display:block;width:100%;height:20px;overflow:visible}
.bar.thin{height:6px;margin:.5rem 0}
.bar .track{fill:var(--line)}.bar .value{fill:var(--tone,var(--c0))}.bar .range{fill:var(--tone);opacity:.3}.bar .mark{stroke:var(--ink);stroke-width:2}
.summary{font-size:1.15rem;margin:.5rem 0}
.remarks{margin:.8rem 0 0;padding:.7rem 1rem .7rem 2rem;background:var(--soft);border-radius:8px;font-size:.93rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.8rem 1.5rem;margin:1.1rem 0 0}
.figures dt{color:var(--quiet);font-size:.86rem}
.figures dd{margin:0;font-size:1.12rem;font-weight:600;font-variant-numeric:tabular-nums}
.stage-bars{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:.15rem 2rem;list-style:none;margin:1.1rem 0 0;padding:.8rem 0 0;border-top:1px solid var(--line);font-size:.94rem}
.stage-bars li{display:grid;grid-template-columns:6.5rem 1fr 6rem;gap:.8rem;align-items:center;--tone:var(--c0)}
.stage-bars span{font-variant-numeric:tabular-nums}
nav{position:sticky;top:0;z-index:1;background:var(--page);margin:1rem 0 0;padding:.55rem 0;border-bottom:1px solid var(--line)}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;list-style:none;margin:0;padding:0}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
.lead{color:var(--quiet)}
.points{display:grid;gap:.9rem;list-style:none;margin:0;padding:0}
ol.points{counter-reset:point}
.point{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem}
ol.points>.point{counter-increment:point}
.point h4{font-size:1.04rem}
ol.points>.point h4::before{content:counter(point) ". ";color:var(--quiet);font-weight:400}
.points.strong{grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr))}
.good-mark{color:var(--good)}
.cost{font-size:.88rem;margin:.1rem 0 0}
blockquote{margin:.7rem 0;padding:.1rem 0 .1rem 1rem;border-left:3px solid var(--c0);font-size:1.05rem}
.detail{font-size:.95rem}
.peek summary,.repeat summary{color:var(--link);cursor:pointer;font-size:.92rem;width:fit-content}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:.9rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem}
.card h3{margin:0}
.card.unmeasured{background:none;border-style:dashed}
.skill-score{margin:.3rem 0}.skill-score strong{font-size:1.5rem;font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;width:100%;font-size:.94rem;overflow-wrap:normal}
caption{text-align:left;color:var(--quiet);font-size:.9rem;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .7rem .4rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:3.2rem}
thead th{color:var(--quiet);font-weight:500;font-size:.88rem;white-space:nowrap}
tbody th{font-weight:600}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
th.number:last-child,td.number:last-child{padding-right:0}
.tasks tbody tr:not(:last-child) td{border-bottom:0}
.note{border-radius:8px;padding:.6rem .9rem;margin:.6rem 0}
.note.bad{background:var(--bad-bg)}.note.open{background:var(--open-bg)}.note pre{background:var(--card);color:var(--ink)}
.check,.folded{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:.5rem 0}
.check>summary,.folded>summary{cursor:pointer;padding:.6rem .9rem;list-style:none}
.check>summary::-webkit-details-marker,.folded>summary::-webkit-details-marker{display:none}
.folded>summary::before{content:"▸";display:inline-block;width:1.2rem;color:var(--quiet)}
.folded[open]>summary::before{content:"▾"}
.folded>:not(summary){margin-left:.9rem;margin-right:.9rem}
.check{border-left:4px solid currentColor}
.check>summary{display:flex;gap:.7rem;align-items:baseline}
.check .symbol{font-weight:700}
.check .title{flex:1;min-width:0;color:var(--ink)}
.check .suite{font-size:.9rem;margin-left:.4rem}
.check .message{display:block;font-size:.93rem}
.check .points{display:block;color:var(--quiet);font-size:.9rem;font-variant-numeric:tabular-nums;white-space:nowrap}
.check .points::after{content:" ▸"}.check[open] .points::after{content:" ▾"}
.evidence{color:var(--ink);padding:0 .9rem .7rem}
:target{scroll-margin-top:4rem;outline:2px solid var(--link);outline-offset:3px;border-radius:8px}
.pair{display:grid;grid-template-columns:auto 1fr;gap:0 .9rem;margin:.4rem 0}
.pair dt{color:var(--quiet);padding-top:.9rem}.pair dd{margin:0;min-width:0}
.diff del,.diff ins,.diff span{display:block;text-decoration:none;margin:0 -.75rem;padding:0 .75rem}
.diff del{background:var(--bad-bg);color:var(--bad)}.diff ins{background:var(--good-bg);color:var(--good)}
.exchange{border-top:1px solid var(--line);margin-top:.7rem;padding-top:.6rem}
.exchange h5{font-size:.95rem;font-weight:500}
.exchange h6{font-size:.84rem;color:var(--quiet);font-weight:500;margin-top:.5rem}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:0 1rem}
.sides>div{min-width:0}
.head{border-radius:6px 6px 0 0;margin-bottom:0;color:var(--quiet)}.head+.body{border-radius:0 0 6px 6px;margin-top:1px}.head:last-child{border-radius:6px}
.phases-title{color:var(--quiet);font-size:.9rem;margin-bottom:0}
.phases{margin:0;padding-left:1.4rem;display:flex;flex-wrap:wrap;gap:.1rem 2.4rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1rem;margin:1rem 0}
.chart{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.9rem 1rem .5rem;min-width:0}
.chart:first-child{grid-column:1/-1}
.chart figcaption{font-weight:600}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;list-style:none;margin:.2rem 0 .5rem;padding:0;font-size:.88rem}
.key{width:22px;height:10px;margin-right:.4rem;vertical-align:middle}
.plot{display:grid;margin-top:1.4rem;grid-template:11rem 1.5rem/4.2rem 1fr;column-gap:.5rem}
.plot svg{overflow:visible;width:100%;height:100%}
.plot .x-axis{grid-column:2}
.plot text{fill:var(--quiet);font-size:12px;font-variant-numeric:tabular-nums}
.y-axis text{text-anchor:end}
.grid{stroke:var(--line)}
.phase{fill:var(--soft)}.phase.p1{opacity:.35}
.plot .phase-number{text-anchor:middle;font-size:11px}
.curve{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.fill{opacity:.16;stroke:none}
.curve.c0{stroke:var(--c0)}.curve.c1{stroke:var(--c1);stroke-dasharray:6 3}.curve.c2{stroke:var(--c2);stroke-dasharray:2 3}
.fill.c0{fill:var(--c0)}.fill.c1{fill:var(--c1)}.fill.c2{fill:var(--c2)}
.column{fill:transparent}.column:hover{fill:var(--quiet);opacity:.18}
.limit{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:9 4 2 4}
.plot .limit-label{text-anchor:end;fill:var(--bad);font-size:11px;paint-order:stroke;stroke:var(--card);stroke-width:3px}
.held{fill:var(--c0);stroke:var(--card);stroke-width:1}
.plot .missed,.missed{fill:var(--bad);font-size:14px;font-weight:700}
.knee-band{fill:var(--c2);opacity:.16}.knee-line{stroke:var(--c2);stroke-width:2}
.chart-note{color:var(--quiet);font-size:.86rem;margin:.3rem 0 .2rem}
.note.quiet-note{background:var(--soft);font-size:.93rem}
.log{max-height:32rem}
.fact-groups{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:0 2.5rem}
.facts{margin:0;font-size:.92rem}
.facts>div{display:grid;grid-template-columns:9.5rem 1fr;gap:.8rem;padding:.25rem 0;border-bottom:1px solid var(--line)}
.facts dt{color:var(--quiet)}.facts dd{margin:0;min-width:0}
.timeline th{width:6rem}.timeline td:last-child{width:7rem}.timeline .bar.thin{margin:.5rem 0;min-width:8rem}
footer{margin-top:3rem;color:var(--quiet);font-size:.9rem}
@media (max-width:30rem){.facts>div{grid-template-columns:7.5rem 1fr}.pair{grid-template-columns:1fr}.pair dt{padding-top:.2rem}.plot{grid-template-columns:3.6rem 1fr}}
@media print{body{max-width:none;background:#fff;font-size:10pt;padding:0}nav{display:none}h2{break-after:avoid}.point,.card,.chart{break-inside:avoid}pre{max-height:none}.check::details-content,.folded::details-content{content-visibility:visible;display:block}#logs .folded::details-content{content-visibility:hidden;display:none}}
`;
