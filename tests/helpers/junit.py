"""JUnit files as a CI server takes them: held against a schema, then read by a parser that is not vmtop's."""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree

import xmlschema

from tests.helpers.checkout import ROOT

_SCHEMA = xmlschema.XMLSchema10(str(ROOT / "tests" / "fixtures" / "junit.xsd"))


class Case(NamedTuple):
    """A test case as a CI server shows it."""

    name: str
    outcome: str
    """`passed`, `failure` or `error`."""
    text: str


def cases(document: str) -> list[Case]:
    """Return the test cases of a document.

    Raises:
        xmlschema.XMLSchemaValidationError: The document is not what CI servers accept.
        AssertionError: The counts of a suite are not those of its cases.
    """
    _SCHEMA.validate(document)
    found = []
    for suite in ElementTree.fromstring(document).iter("testsuite"):  # noqa: S314  # vmtop wrote it
        of_suite = [_case(element) for element in suite.iter("testcase")]
        outcomes = [case.outcome for case in of_suite]
        counts = {"tests": len(of_suite), "failures": outcomes.count("failure"), "errors": outcomes.count("error")}
        assert {key: int(suite.attrib[key]) for key in counts} == counts
        found += of_suite
    return found


def _case(element: ElementTree.Element) -> Case:
    inner = element[0]
    outcome = inner.tag if inner.tag in ("failure", "error") else "passed"
    return Case(element.attrib["name"], outcome, inner.text or "")
