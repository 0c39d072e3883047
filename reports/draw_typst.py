"""A drawing in Typst's own shapes."""

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
from reports.escape import Code, typst_string
from reports.formulas import typst_formula

_DASHES = {"solid": '"solid"', "dashed": "(3pt, 1.8pt)", "dotted": "(0.8pt, 1.6pt)"}


def draw_typst(canvas: Canvas, scale: float = 1.0) -> Code:
    """A call of the template's ``drawing``."""
    high = canvas.height
    calls = [call for item in canvas.items for call in _item(item, high)]
    # Labels last, on a light ground, so that no line runs through one.
    calls += [_arrow_label(item, high) for item in canvas.items if isinstance(item, Arrow) and item.label != ""]
    body = "\n".join(f"  {call}" for call in calls)
    return Code(f"drawing({canvas.width:g}cm, {high:g}cm, {100 * scale:g}%, {{\n{body}\n}})")


def _at(point: Point, high: float) -> str:
    return f"({point[0]:g}cm, {round(high - point[1], 4):g}cm)"


def _stroke(role: str, style: str) -> str:
    return f"stroke: (paint: {role}, thickness: 0.6pt, dash: {_DASHES[style]})"


def _label(label: Label, role: str, display: bool = False) -> str:
    if isinstance(label, Surface):
        formula = f"${typst_formula(label)}$"
        return f"text(fill: {role}, {f'displayed({formula})' if display else formula})"
    return f"text(fill: {role}, {typst_string(label)})"


def _centred(point: Point, high: float, body: str) -> str:
    return f"centred({point[0]:g}cm, {round(high - point[1], 4):g}cm, {body})"


def _item(item: Item, high: float) -> list[str]:
    match item:
        case Node():
            return _node(item, high)
        case Arrow():
            return _arrow(item, high)
        case TextLabel(at, text, role, "center"):
            return [_centred(at, high, _label(text, role))]
        case TextLabel(at, text, role, anchor):
            return [f"beside({at[0]:g}cm, {round(high - at[1], 4):g}cm, {anchor}, {_label(text, role)})"]
        case MathLabel(at, surface, role):
            return [_centred(at, high, _label(surface, role, display=True))]
        case Polyline(points, role, style):
            moves = ", ".join(f"curve.{'line' if k else 'move'}({_at(point, high)})" for k, point in enumerate(points))
            return [f"place(top + left, curve({_stroke(role, style)}, {moves}))"]
        case Route():
            return _route(item, high)
        case Region():
            return _region(item, high)


def _region(region: Region, high: float) -> list[str]:
    (x0, y0), (x1, y1) = region.lower_left, region.upper_right
    place = f"place(top + left, dx: {x0:g}cm, dy: {round(high - y1, 4):g}cm, "
    calls = [
        f"{place}rect(width: {round(x1 - x0, 4):g}cm, height: {round(y1 - y0, 4):g}cm, radius: 4pt, fill: {region.role}.lighten(92%)))"
    ]
    if region.title:
        calls.append(
            f"beside({x0 + 0.15:g}cm, {round(high - y1 + 0.3, 4):g}cm, left, {_label(region.title, region.role)})"
        )
    return calls


def _node(node: Node, high: float) -> list[str]:
    x, y = node.at[0] - node.width / 2, high - node.at[1] - node.height / 2
    look = f"{_stroke(node.role, node.stroke)}, fill: {f'{node.role}.lighten(90%)' if node.filled else 'none'}"
    if node.shape == "circle":
        shape = f"circle(radius: {node.width / 2:g}cm, {look})"
    else:
        shape = f"rect(width: {node.width:g}cm, height: {node.height:g}cm, radius: 2pt, {look})"
    calls = [f"place(top + left, dx: {round(x, 4):g}cm, dy: {round(y, 4):g}cm, {shape})"]
    return [*calls, *([_centred(node.at, high, _label(node.label, node.role))] if node.label != "" else [])]


def _arrow(arrow: Arrow, high: float) -> list[str]:
    end, head = arrow_head(arrow)
    first, second = (_at(point, high) for point in arrow.controls)
    last = f"curve.cubic({first}, {second}, {_at(end, high)})" if arrow.bend else f"curve.line({_at(end, high)})"
    calls = [
        f"place(top + left, curve({_stroke(arrow.role, arrow.style)}, curve.move({_at(arrow.start, high)}), {last}))"
    ]
    if head:
        calls.append(f"place(top + left, polygon(fill: {arrow.role}, {', '.join(_at(point, high) for point in head)}))")
    return calls


def _route(route: Route, high: float) -> list[str]:
    end, head = arrow_head(route)
    pieces = [*route.pieces[:-1], (*route.controls, end)]
    way = ", ".join(f"curve.cubic({', '.join(_at(point, high) for point in piece)})" for piece in pieces)
    calls = [
        f"place(top + left, curve({_stroke(route.role, route.style)}, curve.move({_at(route.start, high)}), {way}))"
    ]
    if head:
        calls.append(f"place(top + left, polygon(fill: {route.role}, {', '.join(_at(point, high) for point in head)}))")
    return calls


def _arrow_label(arrow: Arrow, high: float) -> str:
    return _centred(arrow.label_at, high, f"on-line({_label(arrow.label, arrow.role, display=True)})")
