"""Marks of solutions: what is shown, what students get, and that both are Python."""

from __future__ import annotations

import ast

import pytest

from reports.code.marks import MarkError, answer, for_students, syntax_error

FUNCTION = """def f(x):
    # solution: double it
    y = 2 * x
    return y
    # end

print(f(2))"""


def test_the_solution_is_shown_without_its_marks() -> None:
    assert answer(FUNCTION) == "def f(x):\n    y = 2 * x\n    return y\n\nprint(f(2))"
    assert answer("x = 1  # solution\n#end of it") == "x = 1  # solution\n#end of it"


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (FUNCTION, "def f(x):\n    # TODO: double it\n    raise NotImplementedError\n\nprint(f(2))"),
        ("a = 1\n# solution\nb = 2\n# end\nc = 3", "a = 1\n# TODO\nc = 3"),
        ("def f(x):\n    y = x\n    # solution\n    y += 1\n    # end\n    return y", "def f(x):\n    y = x\n    # TODO\n    return y"),
        ("for k in (1, 2):\n    # solution: add\n    k += 1\n    # end", "for k in (1, 2):\n    # TODO: add\n    raise NotImplementedError"),
        ("def f():\n    '''Says.'''\n    # solution\n    return 1\n    # end", "def f():\n    '''Says.'''\n    # TODO\n    raise NotImplementedError"),
        ("x = [\n    1,\n    # solution\n    2,\n    # end\n]", "x = [\n    1,\n    # TODO\n]"),
        ("for k in x:\n    # solution\n    a = k\n    # end\n    # solution\n    b = k\n    # end", "for k in x:\n    # TODO\n    raise NotImplementedError\n    # TODO"),
        ("if True:\n# solution\n    x = 1\n# end\n", None),
        ("try:\n    x = 1\n# solution\nexcept ValueError:\n    x = 2\n# end\n", None),
        ("#solution:a\nx = 1\n#end\n#   solution :  b \ny = 1\n#  end  ", "# TODO: a\n# TODO: b"),
    ],
)  # fmt: skip
def test_what_students_get(source: str, left: str | None) -> None:
    if left is None:
        with pytest.raises(MarkError, match="no Python"):
            for_students(source)
    else:
        assert for_students(source) == left
        ast.parse(left)


@pytest.mark.parametrize(
    ("source", "line"),
    [("# solution\nx = 1", 0), ("x = 1\n# end", 1), ("# solution\n# solution\n# end", 1)],
)
def test_marks_without_a_partner_are_told(source: str, line: int) -> None:
    for read in (answer, for_students):
        with pytest.raises(MarkError) as caught:
            read(source)
        assert caught.value.line == line


def test_code_without_marks_is_the_same_for_all() -> None:
    assert answer("x = 1\n\ny = 2") == for_students("x = 1\n\ny = 2") == "x = 1\n\ny = 2"


@pytest.mark.parametrize("source", ["%time 1", "!ls", "x = = 1", "\x00", "(" * 5000, "f(", "print 1"])
def test_what_is_no_python(source: str) -> None:
    assert syntax_error(source) is not None


def test_what_is_python_in_a_notebook() -> None:
    assert syntax_error("await f()") is None and syntax_error("x = 1;") is None and syntax_error("") is None
