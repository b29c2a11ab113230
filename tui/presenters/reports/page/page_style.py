"""How the page looks: light or dark as the reader's browser asks for, for narrow windows, and on paper."""

from __future__ import annotations

_LIGHT = (
    "--b:#fff;--f:#1b1f24;--d:#59616d;--l:#d8dce2;--g:#f5f6f8;--c1:#2563eb;--c2:#b45309;--c3:#047857;--r:#b91c1c;"
    "--w:#92400e;--n:#6d28d9"
)
_DARK = (
    "--b:#12151a;--f:#e6e8eb;--d:#9aa3af;--l:#2c323b;--g:#191d23;--c1:#60a5fa;--c2:#fbbf24;--c3:#34d399;--r:#f87171;"
    "--w:#fbbf24;--n:#c4b5fd"
)
"""Background, foreground, dim, lines, ground of charts, three series, bad, warning, note."""

STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media(prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{background:var(--b);color:var(--f);font:14px/1.5 system-ui,sans-serif;max-width:1040px;margin:2em auto;
padding:0 1em;overflow-wrap:break-word}}
h1{{font-size:1.4em;margin:0}}h2{{font-size:1.15em;margin:2em 0 .5em}}p,small,.dim{{color:var(--d)}}p{{margin:.3em 0}}
a{{color:inherit;text-decoration-color:var(--d)}}summary{{cursor:pointer;padding:.3em 0}}
details[open]>summary{{margin-bottom:.4em}}
.verdict{{border:1px solid var(--l);border-left:5px solid var(--c3);padding:.7em 1em;margin:1.2em 0}}
.verdict.bad{{border-left-color:var(--r)}}.verdict.warn{{border-left-color:var(--w)}}
.verdict.unknown{{border-left-color:var(--d)}}
.verdict strong{{font-size:1.1em}}.verdict ul{{margin:.5em 0 0;padding:0;list-style:none}}.verdict li{{margin:.3em 0}}
.tag{{display:inline-block;border:1px solid currentColor;border-radius:3px;padding:0 .4em;margin-right:.3em;
font-size:.85em;color:var(--d);white-space:nowrap}}
.tag.bad{{color:var(--r)}}.tag.warn{{color:var(--w)}}.tag.note{{color:var(--n)}}
.scroll{{overflow-x:auto}}table{{border-collapse:collapse;width:100%}}
td,th{{padding:.25em .5em;text-align:left;border-bottom:1px solid var(--l);vertical-align:middle;unicode-bidi:isolate}}
th{{vertical-align:bottom}}
.when{{white-space:nowrap;font-variant-numeric:tabular-nums}}.name{{min-width:8em;overflow-wrap:anywhere}}
.detail{{min-width:12em;overflow-wrap:anywhere}}
.n{{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}}
th button{{font:inherit;color:inherit;background:none;border:0;padding:0;cursor:pointer;
text-decoration:underline dotted;text-underline-offset:.25em}}
th[aria-sort=ascending] button:after{{content:" \\2191"}}th[aria-sort=descending] button:after{{content:" \\2193"}}
figure{{margin:1.2em 0;break-inside:avoid}}.charts{{scroll-margin-top:3em}}details details{{margin-left:1em}}
figcaption b{{font-weight:600}}
.plot{{display:flex;padding-right:1em}}.scale{{width:52px;flex:none}}.area{{flex:1;min-width:0;overflow:visible}}
svg{{display:block}}svg text{{font:11px system-ui,sans-serif;fill:var(--d);
paint-order:stroke;stroke:var(--b);stroke-width:3px}}
.ground{{fill:var(--g)}}.grid{{stroke:var(--l);stroke-width:1}}
path{{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke;stroke-linejoin:round;stroke-linecap:round}}
.top{{opacity:.35;stroke-width:1}}
.c1{{stroke:var(--c1)}}.c2{{stroke:var(--c2)}}.c3{{stroke:var(--c3)}}
.k1{{color:var(--c1)}}.k2{{color:var(--c2)}}.k3{{color:var(--c3)}}
.mark{{stroke:var(--d);stroke-dasharray:2 3;opacity:.6}}.mark.bad{{stroke:var(--r)}}.mark.warn{{stroke:var(--w)}}
.mark.note{{stroke:var(--n)}}
svg text.bad{{fill:var(--r)}}svg text.warn{{fill:var(--w)}}svg text.note{{fill:var(--n)}}
.spark{{width:110px;background:var(--g)}}.narrow{{display:none}}
@media(max-width:980px){{.wide{{display:none}}.narrow{{display:inline}}}}
@media(max-width:640px){{body{{margin:1em auto;padding:0 .7em}}.plot{{padding-right:.5em}}}}
@media print{{:root{{color-scheme:light;{_LIGHT}}}body{{max-width:none;margin:0;font-size:10px}}
.spark{{width:60px}}td,th{{padding:.2em .4em}}.name,.detail{{min-width:7em}}
thead{{display:table-header-group}}tr,li{{break-inside:avoid}}h2{{break-after:avoid}}.scroll{{overflow:visible}}
th button{{text-decoration:none}}.all::details-content{{content-visibility:visible;height:auto}}
*{{print-color-adjust:exact}}}}
"""
"""The style sheet, with no word of the session in it: the page's policy has its hash."""
