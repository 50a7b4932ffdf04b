"""The small parts of the generated pages: words, scales, contrast."""

from __future__ import annotations

import re

import pytest

from kg.docs.charts import ceiling
from kg.docs.render import shared_style
from kg.terms import GL
from kg.words import acronyms, humane, number, sign, unit


@pytest.mark.parametrize("value, top", [(0.5, 1), (1, 1), (3.3, 5), (5.85, 10), (11, 20), (100, 100), (101, 200)])
def test_a_scale_ends_at_a_round_number(value, top):
    assert ceiling(value) == top


def test_words():
    assert number("4.50") == "4.5" and number("40") == "40" and number("3.0") == "3"
    assert unit("mo", {"mo": "month"}, "1") == "month" and unit("mo", {"mo": "month"}, "2") == "months"
    assert unit("{score}", {}) == "points" and unit("1", {}) == "" and unit("%", {}) == "%"
    assert humane("after-abc-failure", acronyms(["An ABC failed"])) == "After ABC failure"
    assert [sign(GL.For, GL.Strong), sign(GL.Against, GL.Conditional)] == ["↑↑", "↓?"]
    assert sign(GL.For, GL.Unstated) == "↑"


# Contrast (WCAG 2, level AA: 4.5 for text, 3 for signs)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _themes() -> list[dict[str, str]]:
    style = shared_style()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]


def test_contrast_is_measured_right():
    assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast("#777777", "#ffffff") < 4.5


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_text_has_enough_contrast(theme):
    grounds = ("paper", "raised", "shade")
    pairs = [(text, ground) for text in ("ink", "soft", "link", "warn", "for", "neutral", "open") for ground in grounds]
    pairs += [(tone, f"{tone}-bg") for tone in ("for", "against", "neutral", "warn")] + [
        ("soft", "warn-bg"),
        ("ink", "warn-bg"),
        ("amount", "paper"),
    ]
    weak = [(one, other) for one, other in pairs if contrast(theme[one], theme[other]) < 4.5]
    weak += [(one, "shade") for one in ("amount", "people") if contrast(theme[one], theme["shade"]) < 3]
    assert weak == []
