"""How an xlsx hangs together: its sheets, the parts they stand in, its calendar."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree

from importers.archive import Package
from rules.refusal import Refused


@dataclass(frozen=True)
class Workbook:
    """What the workbook part says."""

    sheets: dict[str, str]
    """Sheet name -> lower-case part name, "" where the relations name none."""
    date1904: bool


def read_workbook_part(package: Package) -> Workbook:
    """The sheets of a checked archive. Refuses workbook_unreadable."""
    name = _workbook_name(package)
    root = _parse(package.kept[name])
    folder = posixpath.dirname(name)
    relations = package.kept.get(f"{folder}/_rels/{posixpath.basename(name)}.rels".lstrip("/"), b"")
    targets = {item.get("Id", ""): _resolved(folder, item.get("Target", "")) for item in _parse(relations)} if relations else {}
    sheets: dict[str, str] = {}
    date1904 = False
    for element in root.iter():
        match _local(element.tag):
            case "sheet":
                relation = next((value for key, value in element.items() if _local(key) == "id"), "")
                sheets[element.get("name", "")] = targets.get(relation, "")
            case "workbookPr":
                date1904 = element.get("date1904") in ("1", "true")
            case _:
                pass
    return Workbook(sheets, date1904)


def _workbook_name(package: Package) -> str:
    """The workbook part, by the archive's own relations, else by its usual name."""
    for item in _parse(package.kept["_rels/.rels"]) if "_rels/.rels" in package.kept else ():
        target = _resolved("", item.get("Target", ""))
        if item.get("Type", "").endswith("/officeDocument") and target in package.kept:
            return target
    if "xl/workbook.xml" in package.kept:
        return "xl/workbook.xml"
    raise Refused("workbook_unreadable")


def _resolved(folder: str, target: str) -> str:
    path = target.replace("\\", "/").lower()
    return posixpath.normpath(path.lstrip("/") if path.startswith("/") else posixpath.join(folder, path))


def _parse(part: bytes) -> Element:
    try:
        return ElementTree.fromstring(part)
    except (ParseError, LookupError, ValueError) as fault:
        # An encoding that nobody knows is no ParseError.
        raise Refused("workbook_unreadable") from fault


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]
