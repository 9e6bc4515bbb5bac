"""The numbers in results/ in; the tables about speed in the documents and their pictures out.

    python benchmarks/training_speed.py --peer LLAMA2C --json benchmarks/results/training_speed.json
    python benchmarks/text_to_blocks.py RUN --peer LLAMA2C --json benchmarks/results/text_to_blocks.json
    python benchmarks/generation.py RUN --run-c LLAMA2C/run --json benchmarks/results/generation.json
    python benchmarks/learning.py RUN … --json benchmarks/results/NAME.json   (docs/learning.md, docs/optimisation.md)
    python benchmarks/redraw.py

A table stands between `<!-- NAME -->` and `<!-- /NAME -->` in its page, NAME being its file's.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import generation
import learning
import text_to_blocks
import training_speed

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PICTURES = ROOT / "docs" / "pictures"
TABLES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "training_speed": ("docs/speed.md", training_speed.table),
    "text_to_blocks": ("docs/tokenizer.md", text_to_blocks.table),
    "generation": ("docs/generation.md", generation.table),
    "learning_rates": ("docs/learning.md", learning.table),
    "learning": ("docs/learning.md", learning.table),
    "learning_hour": ("docs/learning.md", learning.table),
    "learning_clock": ("docs/learning.md", learning.table),
    "learning_steps": ("docs/learning.md", learning.table),
    "ablation": ("docs/learning.md", learning.table),
    "shapes": ("docs/learning.md", learning.table),
    "many_epochs": ("docs/optimisation.md", learning.table),
}
COLORS = ("#2f6f8f", "#c0392b", "#d98e04", "#5b8c5a", "#7d5ba6", "#222222", "#8c6d46")
Bar = tuple[str, float, float, float]  # what, its ratio to llama2.c, from, to


def main() -> None:
    found = {
        name: json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in TABLES
    }
    for name, (page, table) in TABLES.items():
        replace_table(ROOT / page, name, table(found[name]))
    bars = list_bars(found)
    replace_table(ROOT / "README.md", "speed", summarize(bars))
    draw(bars, PICTURES / "speed.png")
    draw_learning(found["learning"] + found["learning_hour"], PICTURES / "learning.png", "minutes")
    draw_learning(found["many_epochs"], PICTURES / "many_epochs.png", "epochs")


def replace_table(page: Path, name: str, table: str) -> None:
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    new, count = re.subn(
        f"{begin}.*?{end}", lambda _match: f"{begin}\n\n{table}\n\n{end}", text, flags=re.DOTALL
    )
    assert count == 1, f"{page.name} has {count} places for {name}"
    page.write_text(new, encoding="utf-8", newline="\n")


def list_bars(found: dict[str, Any]) -> list[Bar]:
    """Each comparison with llama2.c: the median ratio and how far the rounds lie apart."""
    bars: list[Bar] = []
    for result in found["training_speed"]["results"]:
        shape = result["task"]["shape"].replace("x", " × ")
        for name, precision in (("ours", "fp32"), ("ours bf16", "bf16")):
            if facts := result["contestants"].get(name):
                what = f"訓練 training, {shape}, {precision}"
                bars.append((what, facts["ratio_to_peer"], *facts["quartiles_to_peer"]))
    for name, facts in found["text_to_blocks"]["encoding"].items():
        if name.startswith("ours") and (times := facts.get("times_the_peer")):
            what = f"編成區塊 text to blocks, {name.removeprefix('ours, ')}"
            bars.append((what, times["median"], times["min"], times["max"]))
    for row in found["generation"]:
        if row["way"].startswith("generate"):
            what = f"續寫 {row['way']}, {row['threads']} thread(s)"
            bars.append((what, row["ratio"], min(row["ratios"]), max(row["ratios"])))
    return bars


def summarize(bars: list[Bar]) -> str:
    lines = ["| 對 llama2.c to llama2.c | 倍 times | 範圍 range |", "|---|--:|--:|"]
    lines += [f"| {what} | {ratio:.2f} | {low:.2f}–{high:.2f} |" for what, ratio, low, high in bars]
    return "\n".join(lines)


def draw(bars: list[Bar], path: Path) -> None:
    """Labels without their Chinese, so that the picture is the same on every machine."""
    from matplotlib import pyplot

    names = [what.split(" ", 1)[1] for what, *_numbers in bars]
    ratios = [ratio for _what, ratio, _low, _high in bars]
    errors = [
        [ratio - low for _what, ratio, low, _high in bars],
        [high - ratio for _what, ratio, _low, high in bars],
    ]
    figure, axes = pyplot.subplots(figsize=(8, 0.42 * len(bars) + 1), layout="constrained")
    axes.barh(names, ratios, xerr=errors, color="#2f6f8f", ecolor="#222222", capsize=3)
    axes.axvline(1, color="#c0392b", linewidth=1.2)
    axes.invert_yaxis()
    axes.set_xlabel("times the speed of llama2.c (red line: as fast)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


def draw_learning(results: list[dict[str, Any]], path: Path, over: str) -> None:
    """Held-out bits per character over `minutes` of processor time or `epochs`, a line a training.

    The steep fall before half an epoch, or half a minute, is left out: it would flatten the rest.
    """
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    names = list(dict.fromkeys(result["name"] for result in results))
    for result in results:
        known = result["name"] in axes.get_legend_handles_labels()[1]
        points = [
            (point["seconds"] / 60 if over == "minutes" else point["epochs"], point["validation"])
            for point in result["curve"]
        ]
        axes.plot(
            *zip(*[point for point in points if point[0] > 0.5], strict=True),
            "o-",
            markersize=4,
            color=COLORS[names.index(result["name"]) % len(COLORS)],
            label=None if known else result["name"],
        )
    axes.set_xlabel("CPU minutes" if over == "minutes" else over)
    axes.set_ylabel("bits per character, held out")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    pyplot.close(figure)


if __name__ == "__main__":
    main()
