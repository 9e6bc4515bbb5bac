"""The package's imports in, `docs/layers.md` out: what each wing is for, and which wings it stands on.

Run `python docs/layers.py` after adding, moving or renaming a module; a test compares.
"""

import ast
from pathlib import Path

import grimp

PACKAGE = "hf_zh_dict"
ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "layers.md"
HEAD = """# 程式的分層 · The layers of the code

<!-- Written by `python docs/layers.py`; a change by hand is lost. -->

每一翼只匯入比它低的（`lint-imports` 會查）；翼裡的各室由上往下讀，第一句都是「什麼進、什麼出」。由 `python docs/layers.py` 從實際的匯入畫出，過期時測試會失敗。
A wing imports only wings below it, which `lint-imports` checks; the first sentence of every room says what comes in and what goes out. Drawn from the real imports; a test fails when this page is out of date.

"""


def main() -> None:
    PAGE.write_text(draw(), encoding="utf-8", newline="\n")


def draw() -> str:
    """The whole page."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    wings = sorted(graph.find_children(PACKAGE))
    below = {wing: find_below(graph, wing, wings) for wing in wings}
    heights: dict[str, int] = {}
    order = sorted(wings, key=lambda wing: (-find_height(wing, below, heights), wing))
    edges = [
        f"  {name(wing)} --> {name(under)}" for wing in order for under in keep_direct(wing, below)
    ]
    table = [
        f"| {mention(graph, w)} | {heights[w]} | {first_sentence(w)} | {count_lines(w):,} | "
        + (" ".join(name(u) for u in order if u in below[w]) or "–")
        + " |"
        for w in order
    ]
    total = sum(count_lines(wing) for wing in wings)
    return (
        HEAD
        + "\n".join(["```mermaid", "flowchart TD", *edges, "```", ""])
        + "\n箭頭指向它匯入的；能經由別的翼到達的不畫。An arrow points at what is imported; one that other arrows imply is left out.\n"
        + "\n| 翼 wing | 層 floor | 什麼進、什麼出 what comes in, what goes out | 行 lines | 匯入 imports |\n|---|--:|---|--:|---|\n"
        + "\n".join(table)
        + f"\n| 全部 all | | | {total:,} | |\n"
        + "".join(describe_rooms(graph, wing) for wing in order)
    )


def find_below(graph: grimp.ImportGraph, wing: str, wings: list[str]) -> set[str]:
    """The other wings that any module of this one imports."""
    inside = {wing, *graph.find_descendants(wing)}
    imported = set().union(*(graph.find_modules_directly_imported_by(m) for m in inside))
    return {
        other
        for other in wings
        if other != wing and imported & {other, *graph.find_descendants(other)}
    }


def find_height(wing: str, below: dict[str, set[str]], heights: dict[str, int]) -> int:
    """1 for a wing that stands on the ground, else one more than the highest below it."""
    if wing not in heights:
        heights[wing] = 1 + max(
            (find_height(under, below, heights) for under in below[wing]), default=0
        )
    return heights[wing]


def keep_direct(wing: str, below: dict[str, set[str]]) -> list[str]:
    """The wings below that no other wing below leads to."""
    implied = set().union(*(reach(under, below) for under in below[wing]))
    return sorted(below[wing] - implied)


def reach(wing: str, below: dict[str, set[str]]) -> set[str]:
    """Every wing that lies below, at any depth."""
    return below[wing].union(*(reach(under, below) for under in below[wing]))


def describe_rooms(graph: grimp.ImportGraph, wing: str) -> str:
    """A wing's modules with their first sentences; nothing for a wing of one room."""
    rooms = sorted(graph.find_descendants(wing))
    if not rooms:
        return ""
    lines = [f"| `{room[len(wing) + 1 :]}` | {first_sentence(room)} |" for room in rooms]
    return (
        f"\n## {name(wing)}\n\n| 室 room | 什麼進、什麼出 what comes in, what goes out |\n|---|---|\n"
        + ("\n".join(lines) + "\n")
    )


def mention(graph: grimp.ImportGraph, wing: str) -> str:
    """A wing's name, with a link when its rooms are listed below."""
    return f"[`{name(wing)}`](#{name(wing)})" if graph.find_children(wing) else f"`{name(wing)}`"


def name(module: str) -> str:
    return module.rpartition(".")[2]


def find_file(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def first_sentence(module: str) -> str:
    """The first paragraph of its docstring, up to its first full stop."""
    text = ast.get_docstring(ast.parse(find_file(module).read_text(encoding="utf-8"))) or "–"
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence, stop, _rest = paragraph.partition(". ")
    return (sentence + stop.strip()).replace("|", "\\|")


def count_lines(wing: str) -> int:
    path = ROOT.joinpath(*wing.split("."))
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


if __name__ == "__main__":
    main()
