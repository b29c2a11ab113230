"""JUnit XML, which every CI server reads, of checks.

Format: the schema of Jenkins' xUnit plugin (junit-10.xsd), the strictest of those in use. A check that failed is a
`failure`, one that could not be measured is an `error`, as a test that did not run to its end is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from tui.presenters.pipelines.verdict import Outcome, Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) has no place for, not even escaped."""
_ELEMENTS = {Outcome.FAILED: "failure", Outcome.UNKNOWN: "error"}


def junit(suite: str, verdicts: Sequence[Verdict], timestamp: str) -> str:
    """Return a document with one suite.

    Args:
        suite: The suite's name, such as `vmtop check`.
        verdicts: What was checked, each a test case.
        timestamp: When, in ISO 8601 without a zone, such as `2026-11-29T08:57:40`.
    """
    counts = {
        "tests": len(verdicts),
        "failures": sum(verdict.outcome is Outcome.FAILED for verdict in verdicts),
        "errors": sum(verdict.outcome is Outcome.UNKNOWN for verdict in verdicts),
    }
    attributes = {
        "name": _text(suite),
        **{key: str(count) for key, count in counts.items()},
        "time": _seconds(sum(verdict.seconds for verdict in verdicts)),
        "timestamp": timestamp,
    }
    root = ElementTree.Element("testsuites")
    element = ElementTree.SubElement(root, "testsuite", attributes)
    for verdict in verdicts:
        _add_case(element, suite, verdict)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _add_case(suite_element: ElementTree.Element, suite: str, verdict: Verdict) -> None:
    names = {"name": _text(f"{verdict.subject}: {verdict.check}"), "classname": _text(suite)}
    case = ElementTree.SubElement(suite_element, "testcase", {**names, "time": _seconds(verdict.seconds)})
    tag = _ELEMENTS.get(verdict.outcome)
    if tag is None:
        output = ElementTree.SubElement(case, "system-out")
    else:
        output = ElementTree.SubElement(case, tag, {"message": _text(verdict.sentence), "type": verdict.outcome.value})
    output.text = _text(verdict.sentence)


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
