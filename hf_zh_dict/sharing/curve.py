"""`metrics.jsonl` in, a picture of the training out."""

from collections.abc import Mapping
from pathlib import Path

from hf_zh_dict.records import read_rows

BASELINE_NAMES = {
    "character_bigram": "character bigram",
    "character_5gram": "character 5-gram",
    "xz": "xz primed with train",
}


def draw_curve(metrics: Path, picture: Path, *, baselines: Mapping[str, float]) -> None:
    """Validation bits per character over steps, the training loss below, baselines as lines.

    Labels are English, so that the picture is right on machines without Chinese fonts.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = read_rows(metrics)
    evaluations = [row for row in rows if "validation_bits_per_char" in row]
    training = [row for row in rows if "loss" in row]
    figure, (upper, lower) = pyplot.subplots(
        2, 1, figsize=(8, 6), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    steps = [row["step"] for row in evaluations]
    bits = [row["validation_bits_per_char"] for row in evaluations]
    upper.plot(steps, bits, "o-", color="#1f5f8b", label="this model")
    upper.annotate(
        f"{bits[-1]:.2f}",
        (steps[-1], bits[-1]),
        xytext=(-6, 8),
        textcoords="offset points",
        ha="right",
    )
    for name, color in zip(BASELINE_NAMES, ("#b0b0b0", "#d08030", "#7a9a50"), strict=True):
        if name in baselines:
            label = f"{BASELINE_NAMES[name]} {baselines[name]:.2f}"
            upper.axhline(baselines[name], linestyle="--", color=color, label=label)
    upper.set_ylabel("validation bits per character")
    upper.grid(alpha=0.3)
    upper.legend(frameon=False)
    lower.plot([row["step"] for row in training], [row["loss"] for row in training],
               color="#1f5f8b", linewidth=1)  # fmt: skip
    lower.set_ylabel("training loss (nats per token)")
    lower.set_xlabel("step")
    lower.grid(alpha=0.3)
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)
