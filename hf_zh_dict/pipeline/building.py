"""A `Config` and a run folder in, its corpus, tokenizer and blocks out.

A stage is built when its folder is missing or its fingerprint differs from what the settings and
the stages before it ask for; otherwise it is reused, and said to be.
"""

from dataclasses import replace

from hf_zh_dict.config import Config
from hf_zh_dict.messages import Say, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.stages import build_stage, is_current, read_stage


def ensure_corpus(config: Config, paths: RunPaths, say: Say) -> str:
    """Build `corpus/` unless it is current; returns its fingerprint."""
    from hf_zh_dict.corpus.build import build_corpus, corpus_fingerprint
    from hf_zh_dict.sharing.dataset_card import write_card

    pinned = pin_corpus(config, paths).corpus
    wanted = corpus_fingerprint(pinned)
    if is_current(paths.corpus, wanted):
        say(_("corpus: reused, {counts}").format(counts=describe_corpus(paths)))
        return wanted
    if pinned.source == "hub":
        say(
            _("corpus: {repo}, commit {commit}").format(repo=pinned.repo_id, commit=pinned.revision)
        )
    with build_stage(paths.corpus, wanted) as (folder, facts):
        facts.update(build_corpus(pinned, folder))
        if pinned.source == "hub":
            facts["revision"] = config.corpus.revision  # as it was asked for
        write_card(folder, {"fingerprint": wanted, **facts})
    say(_("corpus: built, {counts}").format(counts=describe_corpus(paths)))
    return wanted


def pin_corpus(config: Config, paths: RunPaths) -> Config:
    """The settings with the commit of a corpus from the Hub, which the run keeps from then on."""
    from hf_zh_dict.corpus.hub_dataset import pin_revision

    return replace(config, corpus=pin_revision(config.corpus, read_stage(paths.corpus)))


def describe_corpus(paths: RunPaths) -> str:
    """Documents in each split, what was dropped, and the share that the parser reads back."""
    facts = read_stage(paths.corpus)
    splits = ", ".join(
        _("{split} {documents:,} documents ({characters:,} characters)").format(split=name, **split)
        for name, split in facts["splits"].items()
    )
    dropped = ", ".join(f"{reason} {count:,}" for reason, count in facts["dropped"].items())
    told = [splits, _("dropped: {dropped}").format(dropped=dropped or "0")]
    if facts["read_back"]:
        share = facts["read_back"] / facts["entries"]
        told.append(_("{share:.2%} of them read back by the parser").format(share=share))
    return "; ".join(told)


def ensure_tokenizer(config: Config, paths: RunPaths, say: Say) -> str:
    """Build `tokenizer/`, and what it needs, unless it is current; returns its fingerprint."""
    from hf_zh_dict.corpus.build import read_texts
    from hf_zh_dict.progress import track
    from hf_zh_dict.tokens.tokenizer import build_tokenizer, sample_texts, tokenizer_fingerprint

    wanted = tokenizer_fingerprint(config.tokenizer, ensure_corpus(config, paths, say))
    reused = is_current(paths.tokenizer, wanted)
    if not reused:
        train = read_stage(paths.corpus)["splits"]["train"]
        texts = sample_texts(
            track(
                read_texts(paths.split("train")),
                _("tokenizer: documents"),
                total=train["documents"],
            ),
            documents=train["documents"],
            characters=train["characters"],
            sample_characters=config.tokenizer.sample_characters,
        )
        with build_stage(paths.tokenizer, wanted) as (folder, facts):
            facts.update(
                build_tokenizer(
                    config.tokenizer, texts, folder, context_length=config.context_length
                )
            )
    size = read_stage(paths.tokenizer)["vocab_size"]
    message = (
        _("tokenizer: reused, {size:,} entries")
        if reused
        else _("tokenizer: built, {size:,} entries")
    )
    say(message.format(size=size))
    return wanted


def ensure_blocks(config: Config, paths: RunPaths, say: Say) -> str:
    """Build `blocks/`, and what it needs, unless it is current; returns its fingerprint."""
    from hf_zh_dict.corpus.build import read_texts
    from hf_zh_dict.tokens.blocks import blocks_fingerprint, build_blocks
    from hf_zh_dict.tokens.tokenizer import load_tokenizer

    wanted = blocks_fingerprint(config.blocks, ensure_tokenizer(config, paths, say))
    reused = is_current(paths.blocks, wanted)
    if not reused:
        with build_stage(paths.blocks, wanted) as (folder, facts):
            facts.update(
                build_blocks(
                    read_texts(paths.split("train")),
                    load_tokenizer(paths.tokenizer),
                    folder,
                    block_size=config.blocks.block_size,
                    num_workers=config.blocks.num_workers,
                    total=read_stage(paths.corpus)["splits"]["train"]["documents"],
                )
            )
    message = (
        _("blocks: reused, {blocks:,} of {block_size} tokens an epoch, {targets:,} targets, {padding:.1%} padding")
        if reused
        else _("blocks: built, {blocks:,} of {block_size} tokens an epoch, {targets:,} targets, {padding:.1%} padding")
    )  # fmt: skip
    say(message.format(**read_stage(paths.blocks)))
    return wanted
