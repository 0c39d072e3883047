"""Words of the notation: which signs and commands there are, and their spelling in each output.

One table for reading and writing, so that whatever is printed can be read again.
"""

from __future__ import annotations

GREEK = [
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota", "kappa", "lambda",
    "mu", "nu", "xi", "pi", "varpi", "rho", "varrho", "sigma", "varsigma", "tau", "upsilon", "phi", "varphi", "chi", "psi",
    "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
]  # fmt: skip
"""Greek letters by their LaTeX command, which is also their name here."""

GREEK_UNICODE = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ϵ": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ϑ": "vartheta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "ℓ": "ell",
}  # fmt: skip

NATURALS = "bbN"
"""The natural numbers, by the name that \\mathbb{N} has."""

GREEK_TO_UNICODE = {name: sign for sign, name in GREEK_UNICODE.items()}

STEP = "Deltat"
"""The length of a time step, written as two signs: Δt."""

LETTER_COMMANDS = {**{g: g for g in GREEK}, "ell": "ell", "infty": "infty"}
"""Commands that stand for one letter."""

FUNCTION_COMMANDS = tuple(
    """
    tanh sinh cosh sin cos tan arctan exp log ln max min det dim arg sup inf lim Pr
    """.split()
)
"""Commands that TeX sets upright as words."""

ACCENTS = {
    "tilde": "tilde", "widetilde": "tilde", "hat": "hat", "widehat": "hat", "bar": "bar", "overline": "bar", "dot": "dot", "ddot": "ddot",
    "check": "check", "breve": "breve", "overrightarrow": "rightarrow", "overleftarrow": "leftarrow", "underline": "underline",
}  # fmt: skip
"""Commands that decorate a letter, and the decoration's name."""

STYLES = (
    "mathbf",
    "boldsymbol",
    "bm",
    "mathit",
    "mathsf",
    "mathnormal",
    "vec",
    "symbf",
    "pmb",
    "mathop",
    "mathrel",
    "mathbin",
    "mathord",
)
"""Commands that only change how letters look; a bold W and a plain W are the same name."""

WORD_STYLES = ("mathrm", "operatorname", "text", "textrm", "textnormal", "mathtt", "texttt", "textbf", "textit", "mbox")
"""Commands whose letters form one word."""

CONNECTIVES = ("for", "if", "where", "with", "and", "when", "otherwise", "at")
"""Words between formulas, which are no names."""

STYLED_WORDS = ("diag", "tr", "trace", "vec", "softmax")
"""Matrix functions, which authors set in any style and case: ``\\mathbf{diag}``, ``\\operatorname{Tr}``."""

LETTER_STYLES = {"mathcal": "cal", "mathscr": "cal", "mathfrak": "frak", "mathbb": "bb"}
"""Commands that make a letter a different name."""

ALPHABETS = tuple(sorted({*LETTER_STYLES.values()}))
"""How names of letters in another alphabet begin."""

RELATIONS = {
    "=": "=", "<": "<", ">": ">", "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "approx": "~",
    "simeq": "~", "ne": "!=", "neq": "!=", "in": "in", "to": "->", "rightarrow": "->", "coloneqq": ":=", "triangleq": ":=", "equiv": "==",
    "doteq": ":=", "coloneq": ":=", "defeq": ":=", "eqdef": ":=", "eqqcolon": "=:", "eqcolon": "=:",
    "colon": ":", "propto": "propto", "sim": "sim", "Rightarrow": "=>", "implies": "=>",
    "Longrightarrow": "=>", "iff": "=>", "Leftrightarrow": "=>", "notin": "notin", "subset": "subset",
}  # fmt: skip

RELATIONS_UNICODE = {"≤": "<=", "≥": ">=", "≈": "~", "≠": "!=", "∈": "in", "→": "->", "≔": ":=", "≝": ":=", "≕": "=:"}

PRODUCTS = {
    "odot": "odot", "circ": "odot", "cdot": "cdot", "times": "times", "otimes": "otimes", "oslash": "oslash", "ast": "ast",
    "bullet": "cdot", "star": "ast",
}  # fmt: skip

PRODUCTS_UNICODE = {
    "⊙": "odot",
    "∘": "odot",
    "·": "cdot",
    "×": "times",
    "⊗": "otimes",
    "⊘": "oslash",
    "∗": "ast",
    "⋅": "cdot",
}

IGNORED = [
    ",", ";", ":", "!", ">", "quad", "qquad", "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nonumber",
    "notag", "allowbreak", "mathstrut", "strut", "noindent", "middle", "medspace", "thinspace", "enspace", "enskip", "hfill",
    "centering", "therefore", "because", "blacksquare", "square", "Box", "qed", "qedhere", "qedsymbol",
]  # fmt: skip
"""Commands without meaning for a formula."""

SIZES = """
    big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm left right
""".split()
"""Commands that only change how large a delimiter is."""

MATRIX_ENVIRONMENTS = ("pmatrix", "bmatrix", "matrix", "smallmatrix", "Bmatrix", "vmatrix", "array")
LINE_ENVIRONMENTS = tuple(
    """
    align aligned alignedat equation gather gathered split eqnarray multline displaymath math flalign
    """.split()
)

DANGEROUS = tuple(
    """
    input include write openin openout read def newcommand renewcommand csname catcode usepackage
    """.split()
)
"""Commands that do something in TeX; named in the error, since nothing here ever runs them."""

UNCLEAR = "redefined"
"""Stands for a command of the author's that has no clear meaning where it is used."""

KNOWN_COMMANDS = sorted(
    {
        *LETTER_COMMANDS,
        *FUNCTION_COMMANDS,
        *ACCENTS,
        *STYLES,
        *WORD_STYLES,
        *LETTER_STYLES,
        *PRODUCTS,
        *IGNORED,
        *SIZES,
        *(r for r in RELATIONS if r.isalpha()),
        *"""
            frac dfrac tfrac sqrt sum prod partial nabla top intercal prime lVert rVert lvert rvert Vert
            vert langle rangle dots ldots cdots dotsc dotsb dotsm dotsi dotso underbrace overbrace begin end label tag lbrace rbrace
            lbrack rbrack mid dagger
        """.split(),
    }
)
"""For suggestions after an unknown command."""
