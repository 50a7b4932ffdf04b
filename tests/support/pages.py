"""What every generated page must be: well-formed, self-contained, readable by everybody."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from xml.etree import ElementTree

LOADING = {
    "img": "src",
    "script": "src",
    "link": "href",
    "iframe": "src",
    "source": "src",
    "object": "data",
    "use": "href",
}


def parse(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.removeprefix("<!doctype html>"))


def bare(element: ElementTree.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def ids(tree: ElementTree.Element) -> list[str]:
    return [element.get("id") for element in tree.iter() if element.get("id")]


def loads_from_outside(tree: ElementTree.Element) -> list[str]:
    """What a browser would fetch from elsewhere to show a page; an inline `data:` is no fetch."""
    found = [element.get(LOADING[bare(element)], "") for element in tree.iter() if bare(element) in LOADING]
    return [one for one in found if re.match(r"(?!data:)[a-z]+:|//", one)]


def barriers(tree: ElementTree.Element) -> list[str]:
    """What keeps a page from being read by everybody: landmarks, headings, names."""
    drawn = {part for one in tree.iter() if bare(one) == "svg" for part in one.iter() if part is not one}
    names = [bare(element) for element in tree.iter() if element not in drawn]
    found = [
        f"{names.count(one)} {one}" for one in ("main", "h1", "header", "footer", "title") if names.count(one) != 1
    ]
    body = next(element for element in tree if bare(element) == "body")
    if body[0].get("href") != "#content":
        found.append("no skip link first")
    known = set(ids(tree))
    levels = [int(name[1]) for name in names if re.fullmatch("h[1-6]", name)]
    found += [f"h{low} then h{high}" for low, high in pairwise(levels) if high > low + 1]
    for element in tree.iter():
        name = bare(element)
        if name == "nav" and not element.get("aria-label"):
            found.append("nav without a name")
        linked = name == "svg" and any(bare(part) == "a" for part in element.iter())
        if name == "svg" and not (element.get("role") == ("group" if linked else "img") and (element.get("aria-label") or element.get("aria-labelledby"))):
            found.append("drawing without words")
        if name == "summary" and any(bare(part) in ("a", "button") for part in element.iter()):
            found.append("a link in what opens and closes")
        if name == "img" and element.get("alt") is None:
            found.append("picture without words")
        if name == "a" and not ("".join(element.itertext()).strip() or element.get("aria-label")):
            found.append(f"link without words: {element.get('href')}")
        found += [f"named by nothing: {one}" for one in element.get("aria-labelledby", "").split() if one not in known]
    found += [f"id twice: {one}" for one, times in Counter(ids(tree)).items() if times > 1]
    return found
