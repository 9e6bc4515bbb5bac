"""The page about the layers shows the imports that the package has."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = runpy.run_path(str(ROOT / "docs" / "layers.py"))


def test_the_page_is_up_to_date():
    """But for the numbers of lines, which change with every edit."""
    drawn, kept = (
        re.sub(r"\| [\d,]+ \| (?=[a-z–|])", "| ", text)
        for text in (LAYERS["draw"](), LAYERS["PAGE"].read_text(encoding="utf-8"))
    )
    assert drawn == kept, "run: python docs/layers.py"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "hf_zh_dict").rglob("*.py")), ids=lambda path: path.stem
)
def test_every_room_says_what_it_is_for(path):
    if path.name != "__main__.py":
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
