"""A timeline as one self-contained SVG: text stays text, states differ by pattern and words and never by colour alone, it prints in black and white.

Colours are the custom properties of the project's stylesheet with its light values behind them: embedded in a page it follows the page."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from kg.timeline import Course, Mark, Moment, Series, Timeline
from kg.timeline_text import change_lines, standing

WIDTH, LEFT, RIGHT = 1120, 196, 1084
_DAY = datetime.timedelta(days=1)
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)  # months between ticks
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: How a state is drawn, by the word of its individual: fill and sign. Others are plain.
_LOOKS = {
    "on-trial": ("dots", "…"), "too-early-to-judge": ("sparse", "◷"), "unclassified": ("none", "?"), "responding": ("full", "✓"), "primary-failure": ("cross", "✗"),
    "secondary-failure": ("diagonal", "↘"), "unclassified-failure": ("level", "✗"), "stopped-for-intolerance": ("upright", "!"), "stopped-otherwise": ("plain", "■"),
}
_KINDS = {"diagnosis": ("Diagnoses", "▲"), "contraindication": ("Contraindications", "⨯"), "alert": ("Alerts", "!"), "procedure": ("Procedures", "■"),
          "finding": ("Findings", "●"), "plan": ("Plans", "□")}
STYLE = """
.kg-tl{font-family:Helvetica,Arial,"Liberation Sans","DejaVu Sans",sans-serif;color:var(--ink,#20262c);max-width:100%;height:auto}
.kg-tl text{fill:var(--ink,#20262c);font-size:12px;paint-order:stroke;stroke:var(--raised,#fff);stroke-width:3px;stroke-linejoin:round}.kg-tl .head{font:600 17px Georgia,"DejaVu Serif",serif}.kg-tl .lane{font:600 12px Georgia,"DejaVu Serif",serif}
.kg-tl .soft{fill:var(--soft,#57616a);font-size:11px}.kg-tl .tiny{fill:var(--soft,#57616a);font-size:10px}.kg-tl .bold{font-weight:600}
.kg-tl .paper{fill:var(--raised,#fff)}.kg-tl .grid{stroke:var(--line,#e1dcd1)}.kg-tl .rule{stroke:var(--rule,#c9c2b3)}
.kg-tl .ink{stroke:var(--ink,#20262c);fill:none}.kg-tl .speck{fill:var(--ink,#20262c)}.kg-tl .now{stroke:var(--link,#14586b);stroke-width:1.6}.kg-tl .dash{stroke-dasharray:4 3}
.kg-tl .bar{stroke:var(--ink,#20262c);stroke-width:1}.kg-tl .none{fill:var(--raised,#fff)}.kg-tl .plain{fill:var(--shade,#f4f1ea)}.kg-tl .full{fill:var(--for,#17633f)}
.kg-tl .against{fill:var(--against-bg,#f9e9e5)}.kg-tl .badge{fill:var(--raised,#fff);stroke:var(--ink,#20262c);stroke-width:1.2}
.kg-tl .dot{fill:var(--raised,#fff);stroke:var(--ink,#20262c);stroke-width:1.6}.kg-tl .cut{stroke:var(--against,#9a2a1d);stroke-dasharray:5 3}.kg-tl .sign{stroke:none}.kg-tl .mid{text-anchor:middle}.kg-tl .end{text-anchor:end}
@media print{.kg-tl text{fill:#000}.kg-tl .paper,.kg-tl .badge,.kg-tl .dot{fill:#fff}}
"""  # fmt: skip


@dataclass(frozen=True)
class _Scale:
    """Days to points across the drawing."""

    first: datetime.date
    last: datetime.date

    def x(self, day: datetime.date) -> float:
        return round(LEFT + (RIGHT - LEFT) * (day - self.first).days / max((self.last - self.first).days, 1), 1)


def draw(timeline: Timeline, prefix: str = "timeline", listed: bool = True) -> str:
    """The timeline as an SVG element; `prefix` begins every id in it, so that several can stand on one page.

    Without `listed` the numbered changes are only marked: the page around it lists them (`kg.timeline_text.change_lines`)."""
    scale = _scale(timeline)
    out, top = [], 56
    for lane in (_courses, _scores, _record, _due, _verdicts):
        parts, height = lane(timeline, scale, top + 26, prefix)
        out += parts
        top += height
    ground = [*_axis(timeline, scale, 56, top + 20)]
    texts, bottom = _list(timeline, top + 44) if listed else ([], top + 40)
    legend, bottom = _legend(timeline, bottom + 8, prefix)
    title = f"Timeline of {timeline.patient} as of {timeline.as_of}"
    body = "\n".join([*ground, *out, *texts, *legend])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" class="kg-tl" viewBox="0 0 {WIDTH} {bottom}" width="{WIDTH}" height="{bottom}" role="img" aria-labelledby="{prefix}-title {prefix}-desc">\n'
            f'<title id="{prefix}-title">{escape(title)}</title>\n<desc id="{prefix}-desc">{escape(_description(timeline))}</desc>\n<style>{STYLE}</style>\n<defs>{_patterns(prefix)}</defs>\n'
            f'<rect class="paper" width="{WIDTH}" height="{bottom}"/>\n{_text(16, 26, timeline.patient, "head")}\n{_text(16, 43, f"as of {timeline.as_of} · {timeline.guideline}", "soft")}\n{body}\n</svg>\n')


def _description(timeline: Timeline) -> str:
    courses = "; ".join(f"{course.label}: {standing(course)}" for course in timeline.courses if course.state)
    values = "; ".join(f"{series.label}: {', '.join(f'{point.value:g} on {point.when.text}' for point in series.points)}" for series in timeline.series)
    return " ".join(f"{part}." for part in (courses, values, f"Verdicts or flags changed on {len(timeline.changes)} days") if part)


def _scale(timeline: Timeline) -> _Scale:
    moments = [moment for course in timeline.courses for moment in (course.start, course.end) if moment]
    moments += [point.when for series in timeline.series for point in series.points] + [mark.when for mark in timeline.marks if mark.when]
    days = [moment.first for moment in moments] + [min(moment.last, timeline.as_of) for moment in moments]
    days += [timeline.as_of, *(change.date for change in timeline.changes), *(one.date for one in timeline.due)]
    room = max((max(days) - min(days)).days * 3 // 100, 7) * _DAY
    return _Scale(min(days) - room, max(days) + room)


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text class="{style or "text"}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _wide(text: str, size: float = 12) -> float:
    """About how wide a text is drawn."""
    return len(text) * size * 0.54


def _short(text: str, width: float, size: float = 12) -> str:
    room = int(width / (size * 0.54))
    return text if len(text) <= room else text[: max(room - 1, 1)].rstrip() + "…"


def _ticks(scale: _Scale) -> list[tuple[datetime.date, str]]:
    """Firsts of months about ninety points apart, with the year where it changes."""
    months = (scale.last.year - scale.first.year) * 12 + scale.last.month - scale.first.month + 1
    step = next((one for one in _STEPS if months / one <= 10), _STEPS[-1])
    found, shown = [], None
    for number in range(scale.first.year * 12, scale.last.year * 12 + 13):
        day = datetime.date(number // 12, number % 12 + 1, 1)
        if number % step == 0 and scale.first <= day <= scale.last:
            found.append((day, str(day.year) if step >= 12 else _MONTHS[day.month - 1] + (f" {day.year}" if day.year != shown else "")))
            shown = day.year
    return found


def _axis(timeline: Timeline, scale: _Scale, top: float, bottom: float) -> Iterable[str]:
    now = scale.x(timeline.as_of)
    yield f'<path class="rule" d="M{LEFT} {top + 12}H{RIGHT}"/>'
    for day, label in _ticks(scale):
        x = scale.x(day)
        yield f'<path class="grid" d="M{x} {top + 12}V{bottom}"/>'
        if x + _wide(label, 10) < RIGHT:
            yield _text(x + 3, top + 8, label, "tiny")
    yield f'<path class="now" d="M{now} {top - 14}V{bottom}"/>'
    yield _text(now - 5 if now > 700 else now + 5, top - 7, f"as of {timeline.as_of}", "soft bold end" if now > 700 else "soft bold")


def _patterns(prefix: str) -> str:
    """Hatchings that stay apart in black and white."""
    shapes = {
        "dots": ('<circle class="speck" cx="3" cy="3" r=".9"/>', 7, "none"), "sparse": ('<path class="ink" d="M0 10L10 0"/>', 10, "none"),
        "cross": ('<path class="ink" d="M0 0L6 6M6 0L0 6"/>', 6, "against"), "diagonal": ('<path class="ink" d="M-1 1L1 -1M0 6L6 0M5 7L7 5"/>', 6, "against"),
        "level": ('<path class="ink" d="M0 2.5H5"/>', 5, "against"), "upright": ('<path class="ink" d="M2.5 0V5"/>', 5, "against"),
    }  # fmt: skip
    return "".join(f'<pattern id="{prefix}-{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse"><rect class="{tint}" width="{size}" height="{size}"/>{shape}</pattern>'
                   for name, (shape, size, tint) in shapes.items())


def _fill(look: str, prefix: str) -> str:
    return f'class="bar {look}"' if look in ("none", "full", "plain") else f'class="bar" fill="url(#{prefix}-{look})"'


def _courses(timeline: Timeline, scale: _Scale, top: float, prefix: str) -> tuple[list[str], float]:
    out, y = [_text(16, top + 4, "Courses", "lane")] if timeline.courses else [], top + 14
    for course in timeline.courses:
        if course.start is None:
            out.append(_text(16, y + 12, _short(course.label, LEFT - 20)) + _text(LEFT + 4, y + 12, f"no date: {standing(course) if course.state else course.response.lower()}", "soft"))
            y += 24
            continue
        out.append("<g>" + f"<title>{escape(_told(course))}</title>" + "".join(_course(course, timeline.as_of, scale, y, prefix)) + "</g>")
        y += 42 if course.state else 34
    return out, y - top + 8 if timeline.courses else 0


def _told(course: Course) -> str:
    return f"{course.label}, {course.start.text if course.start else 'no start'} to {course.end.text if course.end else '…'}: {standing(course) if course.state else course.response}"


def _course(course: Course, as_of: datetime.date, scale: _Scale, y: float, prefix: str) -> Iterable[str]:
    high = 16 if course.state else 9
    x0, x1 = scale.x(course.start.first), max(scale.x(course.end.last if course.end else as_of), scale.x(course.start.first) + 3)
    for number, row in enumerate(textwrap.wrap(course.label, 27, max_lines=2, placeholder=" …")):
        yield _text(16, y + 12 + 13 * number, row, "bold" if course.state else "")
    for segment in course.segments:
        look, sign = _LOOKS.get(segment.state.word, ("plain", "•"))
        a, b = scale.x(segment.start), scale.x(segment.end)
        if b > a:
            yield f'<rect x="{a}" y="{y}" width="{b - a:.1f}" height="{high}" {_fill(look, prefix)}/>'
        if b - a > 22 and segment is not course.segments[-1]:
            yield _badge((a + b) / 2, y + high / 2, sign)
    if not course.segments:
        yield f'<rect x="{x0}" y="{y + 3}" width="{x1 - x0:.1f}" height="{high}" class="bar plain"/>'
    middle = y + high / 2 + (0 if course.state else 3)
    yield from _fuzzy(course.start, scale, y + (0 if course.state else 3), high)
    if course.end:
        yield from _fuzzy(course.end, scale, y + (0 if course.state else 3), high)
    elif course.ongoing == "yes":
        yield f'<path class="ink" d="M{x1 + (10 if course.state else 2)} {middle - 5}l6 5l-6 5" stroke-width="1.6"/>'
    else:
        yield _text(x1 + (11 if course.state else 4), middle + 4, "?", "soft bold")
    caption = standing(course) if course.state else course.response.lower()
    if course.state:
        yield _badge(x1, middle, _LOOKS.get(course.state.word, ("", "•"))[1])
    size, now = _wide(caption, 11), scale.x(as_of)
    crosses = x0 <= now < x0 + size + 4
    yield _text(max(now - 6 - size if crosses else min(x0, RIGHT - size), LEFT), y + high + (13 if course.state else 15), caption, "soft")


def _badge(x: float, y: float, sign: str) -> str:
    return f'<circle class="badge" cx="{x:.1f}" cy="{y:.1f}" r="8"/>{_text(round(x, 1), y + 4, sign, "mid bold sign")}'


def _fuzzy(moment: Moment, scale: _Scale, y: float, high: float) -> Iterable[str]:
    """A partial date: the days it can mean are taken back to a dashed outline."""
    a, b = scale.x(moment.first), scale.x(moment.last)
    if b > a:
        yield f'<rect x="{a}" y="{y - 2}" width="{b - a:.1f}" height="{high + 4}" class="paper" opacity=".72"/><rect x="{a}" y="{y - 2}" width="{b - a:.1f}" height="{high + 4}" class="ink dash"/>'


def _scores(timeline: Timeline, scale: _Scale, top: float, prefix: str) -> tuple[list[str], float]:
    out, y = [], top
    for series in timeline.series:
        out.append(f"<g><title>{escape(series.label)}</title>{''.join(_panel(series, scale, y + 12, 66))}</g>")
        y += 96
    return out, y - top


def _panel(series: Series, scale: _Scale, top: float, high: float) -> Iterable[str]:
    values = [point.value for point in series.points] + [cut.value for cut in series.cutoffs]
    low = series.least if series.least is not None else min(values)
    peak = series.most if series.most is not None else max(max(values) * 1.2, low + 1)
    y = lambda value: round(top + high - high * (value - low) / (peak - low), 1)  # noqa: E731
    yield _text(16, top + 2, series.label, "lane")
    yield f'<path class="grid" d="M{LEFT} {top}H{RIGHT}M{LEFT} {top + high}H{RIGHT}"/>'
    yield _text(LEFT + 2, top + 9, f"{peak:.2g}", "tiny") + _text(LEFT + 2, top + high - 3, f"{low:g}", "tiny")
    taken = top - 4
    for cut in sorted({cut.value: cut for cut in series.cutoffs}.values(), key=lambda one: -one.value):
        taken = max(y(cut.value) + 4, taken + 12)
        yield f'<path class="cut" d="M{LEFT} {y(cut.value)}H{RIGHT}"/>' + _text(LEFT - 6, taken, _short(cut.label, 150, 10), "tiny end")
    middles = [((scale.x(point.when.first) + scale.x(point.when.last)) / 2, y(point.value), point) for point in series.points]
    if len(middles) > 1:
        yield '<path class="ink" stroke-width="1.6" d="M' + "L".join(f"{x:.1f} {at}" for x, at, _ in middles) + '"/>'
    last = None
    for number, (x, at, point) in enumerate(middles):
        if point.when.first != point.when.last:
            yield f'<path class="ink dash" d="M{scale.x(point.when.first)} {at}H{scale.x(point.when.last)}"/>'
        yield f'<circle class="dot" cx="{x:.1f}" cy="{at}" r="3.4"><title>{escape(f"{series.label} {point.value:g}, {point.when.text}")}</title></circle>'
        if last is None or x - last >= 20:
            falls = number + 1 < len(middles) and middles[number + 1][2].value > point.value
            under = falls and at + 16 < top + high
            yield _text(round(x, 1), at + 15 if under else at - 7, f"{point.value:g}", "mid tiny bold")
            last = x


def _record(timeline: Timeline, scale: _Scale, top: float, prefix: str) -> tuple[list[str], float]:
    out, y = [], top
    for kind, (name, sign) in _KINDS.items():
        dated = [mark for mark in timeline.marks if mark.kind == kind and mark.when]
        undated = [mark for mark in timeline.marks if mark.kind == kind and not mark.when]
        if dated or undated:
            out.append(_text(16, y + 4, name, "lane"))
            parts, rows = _marks(dated, scale, y, sign)
            out += parts
            for number, mark in enumerate(undated):
                out.append(_text(LEFT + 4, y + 4 + 15 * (rows + number), f"no date: {mark.label}", "soft"))
            y += 15 * max(rows + len(undated), 1) + 12
    return out, y - top


def _marks(marks: Iterable[Mark], scale: _Scale, top: float, sign: str) -> tuple[list[str], int]:
    """Marks with their labels beside them, each in the first row where both fit; and how many rows that takes."""
    rows: list[list[tuple[float, float]]] = []
    out = []
    for mark in marks:
        a, b = scale.x(mark.when.first), scale.x(mark.when.last)
        text = _short(mark.label, 560, 11)
        wide = _wide(text, 11) + 10
        left = (a + b) / 2 + 8 + wide > RIGHT
        span = (min(a, (a + b) / 2 - 8 - wide) if left else a - 6, b + 6 if left else max(b, (a + b) / 2 + 8 + wide))
        row = next((number for number, taken in enumerate(rows) if all(span[1] < p or span[0] > q for p, q in taken)), len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(span)
        y, x = top + 15 * row, (a + b) / 2
        whisker = f'<path class="ink dash" d="M{a} {y}H{b}"/>' if b > a else ""
        label = _text(min(a, x - 8) - 2, y + 4, text, "soft end") if left else _text(max(b, x + 8) + 2, y + 4, text, "soft")
        out.append(f"<g><title>{escape(f'{mark.when.text}: {mark.label}')}</title>{whisker}{_text(round(x, 1), y + 4, sign, 'mid')}{label}</g>")
    return out, len(rows)


def _due(timeline: Timeline, scale: _Scale, top: float, prefix: str) -> tuple[list[str], float]:
    if not timeline.due:
        return [], 0
    marks = [Mark(one.status, f"{one.status.replace('-', ' ')}: {one.course}, {one.label[:1].lower()}{one.label[1:]}", Moment(one.date, one.date), "") for one in timeline.due]
    parts, rows = _marks(marks, scale, top, "◇")
    return [_text(16, top + 4, "Due", "lane"), *parts], 15 * rows + 12


def _verdicts(timeline: Timeline, scale: _Scale, top: float, prefix: str) -> tuple[list[str], float]:
    """Where verdicts, states or flags changed: numbers that the list below explains."""
    out, rows = [_text(16, top + 4, "What changed", "lane")], []
    for number, change in enumerate(timeline.changes, 1):
        x = scale.x(change.date)
        row = next((at for at, last in enumerate(rows) if x - last > 19), len(rows))
        rows[row:row + 1] = [x]
        out.append(f'<circle class="badge" cx="{x}" cy="{top + 20 * row}" r="8.5"/>{_text(x, top + 20 * row + 4, str(number), "mid tiny bold sign")}')
    return out, 20 * max(len(rows), 1) + 4


def _list(timeline: Timeline, top: float) -> tuple[list[str], float]:
    out, y = [f'<path class="rule" d="M16 {top - 16}H{RIGHT}"/>'], top + 2
    for number, change in enumerate(timeline.changes, 1):
        out.append(_text(16, y, f"{number}", "bold") + _text(38, y, change.date.isoformat(), "bold"))
        for line in change_lines(change, names=6):
            for at, row in enumerate(textwrap.wrap(line, 152)):
                out.append(_text(118 + 14 * (at > 0), y, row, "soft"))
                y += 15
        y += 5
    return out, y


def _legend(timeline: Timeline, top: float, prefix: str) -> tuple[list[str], float]:
    """What the patterns mean that occur, and the dashed outline."""
    states = {segment.state.word: segment.state.label for course in timeline.courses for segment in course.segments}
    states |= {course.state.word: course.state.label for course in timeline.courses if course.state}
    out, x, y = [], 16.0, top
    for word, label in states.items():
        look, sign = _LOOKS.get(word, ("plain", "•"))
        if x + 70 + _wide(label, 11) > RIGHT:
            x, y = 16.0, y + 22
        out.append(f'<rect x="{x}" y="{y - 11}" width="34" height="14" {_fill(look, prefix)}/>{_badge(x + 42, y - 4, sign)}{_text(x + 55, y, label, "soft")}')
        x += 70 + _wide(label, 11)
    if any(moment and moment.first != moment.last for course in timeline.courses for moment in (course.start, course.end)):
        out.append(f'<rect x="{x}" y="{y - 11}" width="26" height="14" class="ink dash"/>{_text(x + 32, y, "partial date: any day in it", "soft")}')
    return out, y + 16
