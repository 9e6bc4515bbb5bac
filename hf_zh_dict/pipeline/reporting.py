"""A run folder's corpus and tokenizer in, a page about each out."""

import json
from typing import Any

from hf_zh_dict.config import Config
from hf_zh_dict.files import write_file
from hf_zh_dict.messages import Say, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.pipeline.building import ensure_corpus, ensure_tokenizer
from hf_zh_dict.stages import build_stage, fingerprint, is_current, read_stage


def report_corpus(config: Config, paths: RunPaths, say: Say) -> None:
    """Write a page about the corpus, built when it is not current; tell what it says of leakage."""
    from hf_zh_dict.sharing.corpus_page import write_corpus_page

    ensure_corpus(config, paths, say)
    survey = ensure_survey(paths, say)
    write_corpus_page(paths.corpus_page, read_stage(paths.corpus), survey)
    say(describe_leakage(survey["leakage"]))
    say(_("page: {page}").format(page=paths.corpus_page))


def ensure_survey(paths: RunPaths, say: Say) -> dict[str, Any]:
    """What the corpus is like, in numbers, and what it leaks; measured once for each corpus."""
    from hf_zh_dict.corpus.leakage import measure_leakage
    from hf_zh_dict.corpus.survey import FORMAT, take_survey

    wanted = fingerprint(format=FORMAT, corpus=read_stage(paths.corpus)["fingerprint"])
    reused = is_current(paths.survey, wanted)
    if not reused:
        with build_stage(paths.survey, wanted) as (_new, facts):
            facts.update(take_survey(paths.corpus), leakage=measure_leakage(paths.corpus))
    say(_("survey: reused") if reused else _("survey: measured"))
    return read_stage(paths.survey)


def describe_leakage(leakage: dict[str, Any]) -> str:
    """The share of held-out text that train holds too, by groups and at random; the longest."""
    by_groups, at_random = leakage["groups"], leakage["random"]
    told = [
        _("leakage: {groups:.2%} by groups, {random:.2%} at random").format(
            groups=by_groups["share"], random=at_random["share"]
        )
    ]
    if "definition" in by_groups["fields"] and "definition" in at_random["fields"]:
        told.append(
            _("of definitions: {groups:.2%} by groups, {random:.2%} at random").format(
                groups=by_groups["fields"]["definition"]["share"],
                random=at_random["fields"]["definition"]["share"],
            )
        )
    longest = _(
        "longest stretch that train holds too: {groups:,} characters by groups, {random:,} at random"
    )
    told.append(longest.format(groups=by_groups["longest"], random=at_random["longest"]))
    return "\n".join(told)


def report_tokenizer(config: Config, paths: RunPaths, say: Say) -> None:
    """Write a page and the numbers about the tokenizer, built when it is not current."""
    from hf_zh_dict.evaluation.tokenizer_report import report_tokenizer as measure
    from hf_zh_dict.sharing.tokenizer_page import write_tokenizer_page

    ensure_tokenizer(config, paths, say)
    report = measure(paths)
    text = json.dumps(report, ensure_ascii=False, indent=2)
    write_file(paths.tokenizer_report, text + "\n")
    write_tokenizer_page(paths.tokenizer_page, report)
    for name, found in report.items():
        say(
            _(
                "{name}: {characters:.3f} characters per token, {round_trip:.2%} of held-out documents "
                "survive the round trip, {dead:,} entries never used"
            ).format(
                name=name, characters=found["characters_per_token"],
                round_trip=found["round_trip"], dead=found["dead"]["count"],
            )
        )  # fmt: skip
    if "sentencepiece" not in report:
        say(
            _(
                "sentencepiece is not compared: it is not installed (pip install sentencepiece), or "
                "the vocabulary is too small for it"
            )
        )
    say(_("page: {page}").format(page=paths.tokenizer_page))
