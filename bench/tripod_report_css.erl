%% SPDX-License-Identifier: Apache-2.0
%% The style sheet of the HTML report: light and dark, screen and paper. The strategies' colours are
%% those of Okabe and Ito's palette, which people with colour vision deficiencies tell apart; dark
%% has lighter ones of the same hues.
-module(tripod_report_css).

-export([text/0]).

-spec text() -> iodata().
text() ->
    [":root {\n", light(), "}\n",
     "@media (prefers-color-scheme: dark) {\n:root {\n", dark(), "}\n}\n",
     "@media print {\n:root {\n", light(), "}\n}\n", page(), tables(), charts(), narrow(), paper()].

light() ->
    "  --paper: #fffefb; --ink: #1b1b1b; --soft: #62605b; --faint: #dedbd3; --line: #b9b5aa;\n"
    "  --wash: #f5f3ec; --link: #0b4f79; --alert: #8a3b00;\n"
    "  --good: #e3f1ea; --fair: #fdf1d3; --bad: #f9dfd3;\n"
    "  --nif: #0072b2; --port_driver: #c25100; --port_program: #00805d; --luerl: #a8568a; --other: #62605b;\n".

dark() ->
    "  --paper: #16171a; --ink: #e6e4df; --soft: #a19e97; --faint: #34363b; --line: #55575d;\n"
    "  --wash: #1f2125; --link: #8cc4ea; --alert: #f0a868;\n"
    "  --good: #16372b; --fair: #40361a; --bad: #4b2417;\n"
    "  --nif: #56b4e9; --port_driver: #f08c3c; --port_program: #35c499; --luerl: #dd93bf; --other: #a19e97;\n".

page() ->
    "* { box-sizing: border-box; }\n"
    "html { color-scheme: light dark; }\n"
    "body { margin: 0 auto; padding: 2.5rem 1.5rem 5rem; max-width: 62rem;\n"
    "  background: var(--paper); color: var(--ink);\n"
    "  font: 16px/1.55 Charter, 'Bitstream Charter', 'Sitka Text', Cambria, Georgia, serif; }\n"
    "h1, h2, h3, nav, table, figcaption, svg, header p {\n"
    "  font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif; }\n"
    "h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; font-weight: 600; }\n"
    "h2 { font-size: 1.22rem; margin: 3.2rem 0 .8rem; padding-top: .9rem; font-weight: 600;\n"
    "  border-top: 1px solid var(--line); }\n"
    "h3 { font-size: .98rem; margin: 2rem 0 .5rem; font-weight: 600; }\n"
    "header p { margin: 0; color: var(--soft); font-size: .86rem; }\n"
    "p, ul { max-width: 46rem; margin: .7rem 0; }\n"
    "ul { padding-left: 1.15rem; }\n"
    "li { margin: .4rem 0; }\n"
    "a { color: var(--link); }\n"
    "code, pre { font-family: 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: .84em; }\n"
    "code { overflow-wrap: anywhere; }\n"
    "pre { background: var(--wash); padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }\n"
    "nav { margin: 1.6rem 0 0; font-size: .84rem; }\n"
    "nav ol { list-style: none; margin: 0; padding: 0; columns: 2; column-gap: 2rem; max-width: 46rem; }\n"
    "nav li { margin: .15rem 0; break-inside: avoid; }\n"
    "nav a { text-decoration: none; }\n"
    "nav a:hover { text-decoration: underline; }\n"
    ".warning { border-left: 3px solid var(--alert); padding: .1rem 0 .1rem .9rem; }\n".

tables() ->
    ".scroll { overflow-x: auto; margin: .9rem 0 0; }\n"
    "table { border-collapse: collapse; font-size: .8rem; line-height: 1.4;\n"
    "  font-variant-numeric: tabular-nums lining-nums; }\n"
    "th, td { text-align: left; vertical-align: baseline; padding: .24rem 1.1rem .24rem 0; }\n"
    "th { font-weight: 600; color: var(--soft); vertical-align: bottom;\n"
    "  border-bottom: 1px solid var(--line); }\n"
    "td:last-child, th:last-child { padding-right: 0; }\n"
    ".right { text-align: right; }\n"
    "td.right { white-space: nowrap; }\n"
    ".unit { display: inline-block; width: 2.5em; text-align: left; color: var(--soft); }\n"
    "td code { font-size: .95em; white-space: nowrap; }\n"
    "tr.group td { border-top: 1px solid var(--faint); }\n"
    "tbody tr:first-child td { border-top: 0; }\n"
    "td.good, td.fair, td.bad { padding-left: .5rem; padding-right: .7rem;\n"
    "  border: 2px solid var(--paper); }\n"
    "td.good { background: var(--good); }\n"
    "td.fair { background: var(--fair); }\n"
    "td.bad { background: var(--bad); font-weight: 600; }\n".

charts() ->
    "figure { margin: 1.4rem 0 2.2rem; }\n"
    "figcaption { font-size: .84rem; color: var(--soft); max-width: 46rem; }\n"
    "figcaption b { display: block; color: var(--ink); font-weight: 600; }\n"
    "svg { display: block; width: 100%; max-width: 760px; height: auto; margin: .6rem 0 0;\n"
    "  color: var(--ink); }\n"
    "svg text { font-variant-numeric: tabular-nums; }\n".

narrow() ->
    "@media (max-width: 40rem) {\nbody { padding: 1.2rem .8rem 3rem; }\nnav ol { columns: 1; }\n}\n".

paper() ->
    "@page { margin: 16mm; }\n"
    "@media print {\n"
    "html { color-scheme: light; }\n"
    "body { max-width: none; padding: 0; font-size: 10.5pt; background: none; }\n"
    "nav { display: none; }\n"
    "h2, h3, figcaption { break-after: avoid; }\n"
    "svg, tr { break-inside: avoid; }\n"
    "thead { display: table-header-group; }\n"
    ".scroll { overflow: visible; }\n"
    "table { font-size: 8pt; }\n"
    "td.good, td.fair, td.bad { print-color-adjust: exact; -webkit-print-color-adjust: exact; }\n"
    "}\n".
