"""Reviews of Amazon in the layouts that there are, and what is told of damaged ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from training.data.amazon import read_amazon, read_sentences
from training.errors import DatasetError

TASKS = {
    "apparel.task.train": "1\tfits well\n0\ttoo small , it 's bad\n1\tfits well\n",
    "apparel.task.test": "1\tfits well\n0\ttorn after a day\n0\ttorn after a day\n",
    "dvd.task.train": "0\ta dull film with a\x85line\n",
    "dvd.task.test": "1\t\n",
    "dvd.task.unlabel": "no label\n",
    "MR.task.train": "1\ta film review of other origin\n",
    "imdb.task.test": "1\tanother one\n",
}
TABLE = """domain,split,label,text
apparel,train,1,fits well
apparel,train,0,"too small , it 's bad"
apparel,train,1,fits well
apparel,test,1,fits well
apparel,test,0,torn after a day
apparel,test,0,torn after a day
dvd,train,0,a dull film with a\x85line
dvd,test,1,
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(folder)


@pytest.mark.parametrize("layout", ["mtl-dataset", ".", "table"])
def test_all_layouts_hold_the_same(tmp_path: Path, layout: str) -> None:
    if layout == "table":
        write(tmp_path, {"amazon14.csv": TABLE})
    else:
        write(tmp_path / layout, TASKS)
    found = read_amazon(str(tmp_path))
    assert found.train.texts == ["fits well", "too small , it 's bad", "a dull film with a\x85line"]
    assert (found.train.positive, found.train.domains) == ([1, 0, 0], ["apparel", "apparel", "dvd"])
    assert (found.test.texts, found.test.positive) == (["torn after a day", ""], [0, 1])
    assert (found.repeated, found.trained, found.retested) == (1, 1, 1)


def test_lines_in_latin_1_and_ends_of_windows(tmp_path: Path) -> None:
    files = {**TASKS, "dvd.task.train": b"\xef\xbb\xbf1\tcaf\xc3\xa9\r\n0\tna\xefve\r\n"}
    assert read_amazon(write(tmp_path, files)).train.texts[-2:] == ["café", "naïve"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("dvd.task.test", "1\tfine\n\n2\tdull\n", "dvd.task.test, line 3: the label is '2'"),
        ("dvd.task.test", "1\tfine\n0 dull\n", "dvd.task.test, line 2: there is no tab in '0 dull'"),
        ("dvd.task.test", b"1\tfine\n0\tdull\n\0\0\n", "dvd.task.test, line 3: it holds zero bytes"),
        ("books.task.test", "1\tfine\n", "holds one part of books alone"),
        ("amazon14.csv", "domain,label,text\n", "amazon14.csv, line 1: the columns are 'domain,label,text'"),
        ("amazon14.csv", TABLE + "dvd,test,1\n", "amazon14.csv, line 10: there are 3 cells"),
        ("amazon14.csv", TABLE + "dvd,dev,1,fine\n", "amazon14.csv, line 10: the split is 'dev'"),
        ("amazon14.csv", TABLE + "dvd,test,good,fine\n", "amazon14.csv, line 10: the label is 'good'"),
        ("amazon14.csv", TABLE + '\ndvd,test,1,"fine\n', "amazon14.csv, line 1[12]: unexpected end of data"),
        (
            "amazon14.csv",
            "".join(TABLE.splitlines(True)[:1]) + "dvd,train,1,a\ndvd,test,1,b\n",
            "train hold praise alone",
        ),
        ("amazon14.csv", TABLE.splitlines()[0], "0 reviews to train with and 0 to test with"),
    ],
)
def test_damage_is_told_with_its_line(tmp_path: Path, file: str, content: str | bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_amazon(write(tmp_path, {**TASKS, file: content}))


def test_another_folder_is_told_both_layouts(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not hold the data set fdu-mtl") as caught:
        read_amazon(str(tmp_path))
    assert "mtl-dataset/apparel.task.train" in str(caught.value) and "amazon14.csv" in str(caught.value)


def test_what_was_fetched_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPTT_DATA", str(tmp_path))
    write(tmp_path / "fdu-mtl" / "mtl-dataset", TASKS)
    with pytest.raises(DatasetError, match="holds 8 reviews") as caught:
        read_amazon(None)
    assert "27,780" in str(caught.value) and "--data DIR" in str(caught.value)


def test_sentences(tmp_path: Path) -> None:
    assert read_sentences(str(tmp_path)) is None
    names = [f"{name}_labelled.txt" for name in ("amazon_cells", "imdb", "yelp")]
    folder = tmp_path / "sentiment labelled sentences"
    write(folder, dict.fromkeys(names, "Good, with a\ttab.\t1\nBad.  \t0\n"))
    found = read_sentences(str(tmp_path))
    assert found is not None and found.texts[:2] == ["Good, with a\ttab.", "Bad."] and found.positive[:2] == [1, 0]
    assert found.domains == ["amazon", "amazon", "imdb", "imdb", "yelp", "yelp"]
    write(folder, {names[2]: "Good.\t1\nBad.\n"})
    with pytest.raises(DatasetError, match=r"yelp_labelled\.txt, line 2: there is no tab"):
        read_sentences(str(tmp_path))
