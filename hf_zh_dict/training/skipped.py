"""A step whose loss or gradient was not finite in; its row of metrics, and a sentence, out.

They name the documents concerned, so that a person can look at them: those of the micro-batches
whose loss was not finite, or of the whole step when only the gradient tells.
"""

from pathlib import Path
from typing import Any

from hf_zh_dict.corpus.build import read_rows
from hf_zh_dict.messages import N_, _
from hf_zh_dict.training.checkpoint import TrainingState
from hf_zh_dict.training.update import Update

WHAT = {"loss": N_("loss"), "gradient": N_("gradient")}
HEADWORDS_SHOWN = 8


def find_documents(
    update: Update, blocks: list[list[int]], *, blocks_per_micro_batch: int
) -> list[int]:
    """The documents concerned, of those in each block of the step, as rows of the train split."""
    size = blocks_per_micro_batch
    if update.suspects:
        blocks = [blocks[i] for m in update.suspects for i in range(m * size, (m + 1) * size)]
    return sorted({document for block in blocks for document in block})


def read_headwords(train_split: Path, documents: list[int]) -> list[str]:
    """The headwords of some documents, which are in the split's order."""
    wanted = set(documents)
    rows = enumerate(read_rows(train_split, ["headword"]))
    return [row["headword"] for number, row in rows if number in wanted]


def describe_skipped(
    update: Update, state: TrainingState, documents: list[int], headwords: list[str]
) -> tuple[dict[str, Any], str]:
    """The row, which holds all the documents, and the sentence, which shows some."""
    row = {
        "step": state.step,
        "skipped": update.skipped,
        "nonfinite_steps": state.nonfinite_steps,
        "documents": documents,
        "headwords": headwords,
    }
    text = _(
        "step {step}: skipped, its {what} is not finite; {count} documents concerned, all in the "
        "metrics: {some}"
    ).format(
        step=state.step,
        what=_(WHAT[update.skipped]),
        count=len(documents),
        some=" ".join(headwords[:HEADWORDS_SHOWN]) + (" …" * (len(headwords) > HEADWORDS_SHOWN)),
    )
    return row, text
