"""A drawing in TikZ."""

from __future__ import annotations

from derive.notation.surface import Surface
from reports.drawing import Arrow, Canvas, Item, Label, MathLabel, Node, Point, Polyline, Region, Route, TextLabel
from reports.escape import Code, escape_tex
from reports.formulas import latex_formula

_STROKES = {"solid": "", "dashed": ", dash pattern=on 3pt off 1.8pt", "dotted": ", dash pattern=on 0.8pt off 1.6pt"}
_ANCHORS = {"center": "", "left": ", anchor=base west", "right": ", anchor=base east"}


def draw_tikz(canvas: Canvas, scale: float = 1.0) -> Code:
    """The ``tikzpicture``; lines are written as readable as if drawn by hand."""
    option = f"[scale={scale:g}, transform shape]" if scale != 1.0 else ""
    lines = [
        f"\\begin{{tikzpicture}}{option}",
        f"  \\path[use as bounding box] (0,0) rectangle {_at((canvas.width, canvas.height))};",
    ]
    lines += [f"  {line}" for item in canvas.items for line in _item(item)]
    # Labels last, on a light ground, so that no line runs through one.
    lines += [f"  {_arrow_label(item)}" for item in canvas.items if isinstance(item, Arrow) and item.label != ""]
    return Code("\n".join([*lines, "\\end{tikzpicture}"]))


def _at(point: Point) -> str:
    return f"({point[0]:g},{point[1]:g})"


def _label(label: Label, display: bool = False) -> str:
    if isinstance(label, Surface):
        return f"$\\displaystyle {latex_formula(label)}$" if display else f"${latex_formula(label)}$"
    return escape_tex(label)


def _item(item: Item) -> list[str]:
    match item:
        case Node():
            return [_node(item)]
        case Arrow():
            return [_arrow(item)]
        case TextLabel(at, text, role, anchor):
            return [f"\\node[words, {role}{_ANCHORS[anchor]}] at {_at(at)} {{{escape_tex(text)}}};"]
        case MathLabel(at, surface, role):
            return [f"\\node[words, {role}] at {_at(at)} {{{_label(surface, display=True)}}};"]
        case Polyline(points, role, style):
            return [f"\\draw[{role}{_STROKES[style]}] {' -- '.join(map(_at, points))};"]
        case Route(points, role, style, head):
            way = "".join(f" .. controls {_at(c1)} and {_at(c2)} .. {_at(end)}" for c1, c2, end in item.pieces)
            return [f"\\draw[{role}{_STROKES[style]}{', ->' if head else ''}] {_at(points[0])}{way};"]
        case Region(lower_left, upper_right, role, title):
            box = f"\\fill[{role}!8, rounded corners=4pt] {_at(lower_left)} rectangle {_at(upper_right)};"
            corner = (lower_left[0] + 0.15, upper_right[1] - 0.3)
            return [
                box,
                *(
                    [f"\\node[words, {role}, anchor=base west] at {_at(corner)} {{{escape_tex(title)}}};"]
                    if title
                    else []
                ),
            ]


def _node(node: Node) -> str:
    shape = (
        f"unit={node.width:g}cm"
        if node.shape == "circle"
        else f"box, minimum width={node.width:g}cm, minimum height={node.height:g}cm"
    )
    fill = f", fill={node.role}!10" if node.filled else ""
    return f"\\node[{shape}, {node.role}{_STROKES[node.stroke]}{fill}] at {_at(node.at)} {{{_label(node.label)}}};"


def _arrow(arrow: Arrow) -> str:
    first, second = arrow.controls
    path = f"{_at(arrow.start)} -- {_at(arrow.end)}"
    if arrow.bend:
        path = f"{_at(arrow.start)} .. controls {_at(first)} and {_at(second)} .. {_at(arrow.end)}"
    return f"\\draw[{arrow.role}{_STROKES[arrow.style]}{', ->' if arrow.head else ''}] {path};"


def _arrow_label(arrow: Arrow) -> str:
    return f"\\node[{arrow.role}, on line] at {_at(arrow.label_at)} {{{_label(arrow.label, display=True)}}};"
