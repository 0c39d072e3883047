"""Trees as LaTeX, in the spellings that people use."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random

from tests.verify.corpus.language import Claim, Node, Time

ADD, SUM, HAD, MUL, ATOM = range(5)
GREEK = {"alpha": r"\alpha", "delta": r"\delta"}
FUNCTIONS = {"sigma": r"\sigma", "tanh": r"\tanh", "softmax": r"\operatorname{softmax}"}


@dataclass(frozen=True)
class Style:
    """The spellings of one document."""

    hadamard: str = r"\odot"
    transpose: str = r"\top"
    dot: str = " "
    tall: bool = False  # \left( \right)
    bold: str = ""  # the command for letters of vectors and matrices
    ratio: str = r"\frac"  # \frac, \dfrac, \tfrac or "/": in line
    d: str = r"\partial"
    diag: str = r"\operatorname{diag}"
    raised: bool = False  # h^{(t)}
    label_last: bool = False  # z_t^f
    prime: str = "'"
    ones: bool = False  # \mathbf{1} - v
    limits: str = r"\sum"
    bare: bool = False  # a sum over all times without bounds
    nabla: bool = True
    braces: bool = False  # {h^{(t)}}^\top


CHOICES: dict[str, tuple[object, ...]] = {
    "hadamard": (r"\circ", r"\odot"),
    "transpose": ("T", r"{\top}", r"{\intercal}", r"{T}", r"\mathsf{T}"),
    "dot": (r" \cdot ", r" \, ", " "),
    "tall": (True,),
    "bold": (r"\mathbf", r"\boldsymbol", r"\bm"),
    "ratio": ("/", r"\dfrac", r"\tfrac"),
    "d": ("d", r"\mathrm{d}"),
    "diag": (r"\mathrm{diag}", r"\text{diag}", r"\mathop{\mathrm{diag}}"),
    "raised": (True,),
    "label_last": (True,),
    "prime": (r"^{\prime}", r"^\prime"),
    "ones": (True,),
    "limits": (r"\sum\limits",),
    "bare": (True,),
    "nabla": (False,),
    "braces": (True,),
}


def draw_style(rng: Random, raised: bool) -> Style:
    """A style that leaves the plain one in a few ways."""
    chosen = rng.sample([item.name for item in fields(Style)], k=rng.choice((0, 1, 2, 3, 4)))
    if rng.random() < 0.3:
        chosen.append("nabla")
    if not raised and "raised" in chosen:
        chosen.remove("raised")
    return Style(**{name: rng.choice(CHOICES[name]) for name in chosen})  # type: ignore[arg-type]


class Printer:
    """Prints trees in one style; `rows` where vectors are rows, and a gradient by a vector is one."""

    def __init__(self, style: Style, rows: bool = False) -> None:
        self.style, self.rows = style, rows

    def claim(self, claim: Claim) -> str:
        return f"{self.text(claim.left)} = {self.text(claim.right)}"

    def text(self, node: Node, level: int = ADD, last: bool = True) -> str:
        """A tree, in brackets where it binds less than `level` asks or would run on into what follows."""
        found, own = self._print(node)
        if node.op in ("sum", "prod") and level == MUL and last:
            return found
        if own < level or (node.op == "grad" and self.style.nabla and level >= HAD and not last):
            return self._brackets(found)
        return found

    def _brackets(self, text: str) -> str:
        return rf"\left({text}\right)" if self.style.tall or r"\frac" in text else f"({text})"

    def _print(self, node: Node) -> tuple[str, int]:
        style = self.style
        match node.op:
            case "q":
                return self.name(*node.data), ATOM
            case "delta":
                name, time = node.data
                label = name.partition("^")[2]
                return self.name("delta" + (f"^{label}" if label else ""), time), ATOM
            case "bar":
                return self.name("-" + node.data[0], node.data[1]), ATOM
            case "p":
                return self.name(node.data[0], None), ATOM
            case "num":
                value = node.data[0]
                if value.denominator == 1:
                    return str(value), ATOM
                return rf"\frac{{{value.numerator}}}{{{value.denominator}}}", ATOM
            case "ones":
                return r"\mathbf{1}", ATOM
            case "eye":
                return self.letter("I"), ATOM
            case "neg":
                return "-" + self.text(node.args[0], SUM), ADD
            case "comp":
                vector = style.ones and node.args[0].op in ("q", "pow")
                return (r"\mathbf{1}" if vector else "1") + " - " + self.text(node.args[0], SUM), ADD
            case "add":
                return self._sum(node), ADD
            case "mul":
                parts = [self.text(part, MUL, part is node.args[-1]) for part in node.args]
                return style.dot.join(parts), MUL
            case "had":
                dotted = style.dot == r" \cdot "
                parts = [
                    self.text(part, ATOM if dotted and part.op == "mul" else HAD + 1, part is node.args[-1])
                    for part in node.args
                ]
                return f" {style.hadamard} ".join(parts), HAD
            case "T":
                return self._raise(node.args[0], f"^{style.transpose}"), ATOM
            case "pow":
                return self._power(node), ATOM
            case "diag":
                return style.diag + self._brackets(self.text(node.args[0])), ATOM
            case "fn":
                return FUNCTIONS[node.data[0]] + self._brackets(self.text(node.args[0])), ATOM
            case "dfn":
                return FUNCTIONS[node.data[0]] + style.prime + self._brackets(self.text(node.args[0])), ATOM
            case "sum" | "prod":
                return self._over(node), SUM
        return self._derivative(node)

    def _sum(self, node: Node) -> str:
        text = self.text(node.args[0], ADD if node.args[0].op == "neg" else SUM)
        for part in node.args[1:]:
            if part.op == "neg":
                text += " - " + self.text(part.args[0], SUM)
            else:
                text += " + " + self.text(part, SUM)
        return text

    def _power(self, node: Node) -> str:
        (base,), (exponent,) = node.args, node.data
        if base.op == "fn":
            return f"{FUNCTIONS[base.data[0]]}^{exponent}" + self._brackets(self.text(base.args[0]))
        return self._raise(base, f"^{exponent}")

    def _raise(self, node: Node, power: str) -> str:
        """A tree with something above it, where what stands above it already is put into brackets."""
        text = self.text(node, ATOM)
        if node.op not in ("q", "p", "delta", "bar", "eye", "ones"):
            grouped = text.startswith(("(", r"\left(")) and self._print(node)[1] < ATOM
            return text + power if grouped else self._brackets(text) + power
        if "^" not in text:
            return text + power
        return f"{{{text}}}{power}" if self.style.braces else self._brackets(text) + power

    def _over(self, node: Node) -> str:
        var, first, last = node.data
        body = self.text(node.args[0], SUM)
        whole = first == Time("", 1) and last == Time("T")
        sign = self.style.limits if node.op == "sum" else self.style.limits.replace("sum", "prod")
        if self.style.bare and whole and node.op == "sum":
            return rf"{sign}_{var} {body}"
        return rf"{sign}_{{{var}={self.time(first)}}}^{{{self.time(last)}}} {body}"

    def _derivative(self, node: Node) -> tuple[str, int]:
        style = self.style
        if node.op == "jac":
            name, time, by, at, immediate = node.data
            above = self.name(name, time)
        else:
            step, by, at = node.data
            immediate = False
            above = "L" if step is None else self.name("L", step)
        below = self.name(by, at)
        if node.op == "grad" and (style.nabla or at is not None or by[0].islower()):
            if style.nabla:
                return rf"\nabla_{below if len(below) == 1 else f'{{{below}}}'} {above}", ATOM
            if self.rows:
                return self._ratio(above, below, ""), HAD if style.ratio == "/" else ATOM
            return self._brackets(self._ratio(above, below, "")) + f"^{style.transpose}", ATOM
        ratio = self._ratio(above, below, "^{+}" if immediate else "")
        return ratio, HAD if style.ratio == "/" else ATOM

    def _ratio(self, above: str, below: str, mark: str) -> str:
        d = self.style.d if not mark else r"\partial"
        gap = "" if d == "d" else " "
        if self.style.ratio == "/":
            return f"{d}{mark}{gap}{above} / {d}{gap}{below}"
        return rf"{self.style.ratio}{{{d}{mark}{gap}{above}}}{{{d}{gap}{below}}}"

    def letter(self, base: str) -> str:
        """The letter of a name, bold in some styles; scalars and the loss stay light."""
        text = GREEK.get(base, base)
        light = base in ("L", "alpha", "T") or (self.style.bold == r"\mathbf" and text != base)
        return text if light or not self.style.bold else f"{self.style.bold}{{{text}}}"

    def name(self, name: str, time: Time | None) -> str:
        """A name with its label and time: ~C is C with a tilde, -h has a bar, W_f and z^f have labels."""
        when = self.time(time) if time else ""
        below = f"_{when}" if len(when) == 1 else f"_{{{when}}}"
        if name == "e_y":
            return self.letter("e") + (f"_{{y^{{({when})}}}}" if self.style.raised else f"_{{y{below}}}")
        accent = {"~": r"\tilde", "-": r"\bar"}.get(name[0], "")
        base, mark, label = name.lstrip("-~").replace("_", "^").partition("^")
        if name.startswith("-~"):
            base, accent = f"~{base}", r"\bar"
        text = rf"\tilde{{{self.letter(base[1:])}}}" if base.startswith("~") else self.letter(base)
        text = f"{accent}{{{text}}}" if accent else text
        short = label if len(label) < 2 else f"{{{label}}}"
        if time is None:
            return f"{text}_{short}" if mark else text
        if self.style.raised:
            return (f"{text}_{short}" if mark else text) + f"^{{({when})}}"
        if not mark:
            return text + below
        return f"{text}{below}^{short}" if self.style.label_last else f"{text}^{short}{below}"

    def time(self, time: Time) -> str:
        if not time.letter:
            return str(time.offset)
        return time.letter + (f"{time.offset:+d}" if time.offset else "")
