"""A drawing as SVG inside an HTML page: colours are classes of the page's style sheet, formulas are MathML."""

from __future__ import annotations

from derive.notation.surface import Surface
from reports.drawing import (
    Arrow,
    Canvas,
    Item,
    Label,
    MathLabel,
    Node,
    Point,
    Polyline,
    Region,
    Route,
    TextLabel,
    arrow_head,
)
from reports.escape import Code, escape_html
from reports.formulas import mathml_inside
from reports.measure import label_extent

_PX = 96 / 2.54
"""CSS pixels in a centimetre."""
_ANCHORS = {"left": "start", "right": "end"}


def draw_svg(canvas: Canvas, title: str) -> Code:
    """The ``svg`` element; ``title`` says what it shows."""
    pen = _Pen(canvas.height)
    lines = [line for item in canvas.items for line in pen.item(item)]
    # Labels last, on a light ground, so that no line runs through one.
    for arrow in (item for item in canvas.items if isinstance(item, Arrow)):
        lines += pen.label(arrow.label_at, arrow.label, f"{arrow.role} on-line", display=True)
    body = "\n".join(lines)
    width, height = _number(canvas.width), _number(canvas.height)
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    head = f'<svg class="drawing" role="img" aria-label="{escape_html(title)}" {size}>'
    return Code(f"{head}\n{body}\n</svg>")


def _number(length: float) -> str:
    return f"{round(length * _PX, 2):g}"


class _Pen:
    """Draws items on a canvas of a height; SVG's y axis points down."""

    def __init__(self, height: float) -> None:
        self.height = height

    def at(self, point: Point) -> str:
        return f"{_number(point[0])} {_number(self.height - point[1])}"

    def item(self, item: Item) -> list[str]:
        match item:
            case Node():
                return [self.shape(item), *self.label(item.at, item.label, item.role)]
            case Arrow():
                return self.arrow(item)
            case TextLabel(at, text, role, "center"):
                return self.label(at, text, role)
            case TextLabel(at, text, role, anchor):
                place = f'x="{_number(at[0])}" y="{_number(self.height - at[1])}"'
                return [
                    f'<text {place} text-anchor="{_ANCHORS[anchor]}" class="fill-{role}">{escape_html(text)}</text>'
                ]
            case MathLabel(at, surface, role):
                return self.label(at, surface, role, display=True)
            case Polyline(points, role, style):
                return [f'<path class="line stroke-{role} {style}" d="M {" L ".join(map(self.at, points))}"/>']
            case Route():
                return self.route(item)
            case Region():
                return self.region(item)

    def region(self, region: Region) -> list[str]:
        (x0, y0), (x1, y1) = region.lower_left, region.upper_right
        place = (
            f'x="{_number(x0)}" y="{_number(self.height - y1)}" width="{_number(x1 - x0)}" height="{_number(y1 - y0)}"'
        )
        box = f'<rect {place} rx="5" class="fill-{region.role} light"/>'
        return [
            box,
            *(self.item(TextLabel((x0 + 0.15, y1 - 0.3), region.title, region.role, "left")) if region.title else []),
        ]

    def shape(self, node: Node) -> str:
        fill = f" fill-{node.role} light" if node.filled else ""
        look = f'class="line stroke-{node.role} {node.stroke}{fill}"'
        (x, y), high = node.at, self.height
        if node.shape == "circle":
            return f'<circle cx="{_number(x)}" cy="{_number(high - y)}" r="{_number(node.width / 2)}" {look}/>'
        place = f'x="{_number(x - node.width / 2)}" y="{_number(high - y - node.height / 2)}"'
        return f'<rect {place} width="{_number(node.width)}" height="{_number(node.height)}" rx="3" {look}/>'

    def arrow(self, arrow: Arrow) -> list[str]:
        end, head = arrow_head(arrow)
        first, second = arrow.controls
        way = f"C {self.at(first)} {self.at(second)} {self.at(end)}" if arrow.bend else f"L {self.at(end)}"
        lines = [f'<path class="line stroke-{arrow.role} {arrow.style}" d="M {self.at(arrow.start)} {way}"/>']
        if head:
            lines.append(f'<path class="fill-{arrow.role}" d="M {" L ".join(map(self.at, head))} Z"/>')
        return lines

    def route(self, route: Route) -> list[str]:
        end, head = arrow_head(route)
        pieces = [*route.pieces[:-1], (*route.controls, end)]
        way = " ".join(f"C {self.at(first)} {self.at(second)} {self.at(to)}" for first, second, to in pieces)
        lines = [f'<path class="line stroke-{route.role} {route.style}" d="M {self.at(route.start)} {way}"/>']
        if head:
            lines.append(f'<path class="fill-{route.role}" d="M {" L ".join(map(self.at, head))} Z"/>')
        return lines

    def label(self, at: Point, label: Label, role: str, display: bool = False) -> list[str]:
        """A label around a point. Its box is generous and may be overrun, so that nothing is cut off where fonts
        differ.
        """
        if label == "":
            return []
        width, height = (1.5 * length + 0.4 for length in label_extent(label))
        x, y = at[0] - width / 2, self.height - at[1] - height / 2
        place = f'x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}"'
        style = ' displaystyle="true"' if display else ""
        body = (
            f"<math{style}><mrow>{mathml_inside(label)}</mrow></math>"
            if isinstance(label, Surface)
            else escape_html(label)
        )
        return [f'<foreignObject {place}><div class="label {role}"><div>{body}</div></div></foreignObject>']
