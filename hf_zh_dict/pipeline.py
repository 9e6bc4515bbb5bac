"""A `Config` and a run folder in, each stage of the road done and told out.

    corpus → tokenizer → blocks → train → evaluate → generate

A stage is built when its folder is missing or its fingerprint differs from what the settings and
the stages before it ask for; otherwise it is reused, and said to be.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_zh_dict.config import Config, ModelConfig
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import SPLITS, RunPaths
from hf_zh_dict.settings import save_config
from hf_zh_dict.stages import build_stage, fingerprint, is_current, read_stage

if TYPE_CHECKING:
    from hf_zh_dict.evaluation.comparison import Contender
    from hf_zh_dict.model.sampling import Sampling
    from hf_zh_dict.training.loop import Outcome
    from hf_zh_dict.training.plan import Plan
    from hf_zh_dict.training.share import Share

Say = Callable[[str], None]  # shows a line to the user


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


def report_tokenizer(config: Config, paths: RunPaths, say: Say) -> None:
    """Write a page and the numbers about the tokenizer, built when it is not current."""
    from hf_zh_dict.evaluation.tokenizer_report import report_tokenizer as measure
    from hf_zh_dict.sharing.tokenizer_page import write_tokenizer_page

    ensure_tokenizer(config, paths, say)
    report = measure(paths)
    text = json.dumps(report, ensure_ascii=False, indent=2)
    paths.tokenizer_report.write_text(text + "\n", encoding="utf-8")
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


def check_run_folder(
    config: Config, paths: RunPaths, say: Say, *, resume: bool, overwrite: bool
) -> int | None:
    """The step of the checkpoint to go on from, or none; two trainings are not mixed in one folder.

    Raises:
        InputError: there are checkpoints and neither `resume` nor `overwrite`; or the checkpoint
            to resume was made with settings that cannot change; or none of them is whole.
    """
    from hf_zh_dict.training.checkpoint import find_whole_checkpoint, list_checkpoints, read_state

    steps = list_checkpoints(paths)
    if not steps or overwrite:
        return None
    if not resume:
        raise InputError(
            _(
                "{folder}: already holds checkpoints (newest: step {step}); add --resume to go on, "
                "--overwrite to start again, or choose another --output-dir."
            ).format(folder=paths.root, step=steps[-1])
        )
    step, damages = find_whole_checkpoint(paths)
    assert step is not None
    for damage in damages:
        say(_("training: {damage}; step {step} is used").format(damage=damage, step=step))
    before = read_state(paths, step)["settings"]
    now = config.to_dict()
    sections = ("corpus", "tokenizer", "blocks", "model")
    fixed = [(section, name) for section in sections for name in now[section]]
    fixed += [("train", name) for name in ("seed", "optimizer", "reshuffle_entries")]
    for section, name in fixed:
        old, new = before.get(section, {}).get(name), now[section][name]
        # which files and which commit these are, the fingerprint of the blocks tells
        free = (("corpus", "files"), ("corpus", "revision"), ("blocks", "num_workers"))
        if (section, name) not in free and old != new:
            raise InputError(
                _(
                    "{folder}: cannot resume with {key} = {new}, the checkpoint has {old}; set it "
                    "back, or choose another --output-dir."
                ).format(folder=paths.root, key=f"{section}.{name}", new=new, old=old)
            )
    return step


def plan_training(config: Config, paths: RunPaths, say: Say, *, timed_steps: int) -> "Plan":
    """What that training will take here; missing stages are built, nothing else is touched.

    Raises:
        InputError: the stages would have to be built anew below a training of other data.
    """
    from hf_zh_dict.corpus.build import corpus_fingerprint, read_texts
    from hf_zh_dict.tokens.blocks import blocks_fingerprint, load_blocks
    from hf_zh_dict.tokens.tokenizer import load_tokenizer, tokenizer_fingerprint
    from hf_zh_dict.training.checkpoint import list_checkpoints
    from hf_zh_dict.training.launch import make_accelerator
    from hf_zh_dict.training.plan import make_plan

    corpus_print = corpus_fingerprint(pin_corpus(config, paths).corpus)
    tokenizer_print = tokenizer_fingerprint(config.tokenizer, corpus_print)
    wanted = blocks_fingerprint(config.blocks, tokenizer_print)
    if list_checkpoints(paths) and not is_current(paths.blocks, wanted):
        raise InputError(
            _(
                "{folder}: holds a training of other data; choose another --output-dir for the plan."
            ).format(folder=paths.root)
        )
    accelerator = make_accelerator(config, paths)
    if accelerator.is_main_process:
        ensure_blocks(config, paths, say)
    accelerator.wait_for_everyone()
    return make_plan(
        config,
        accelerator,
        load_tokenizer(paths.tokenizer),
        load_blocks(paths.blocks),
        list(read_texts(paths.split("validation"))),
        timed_steps=timed_steps,
    )


def run_training(
    config: Config, paths: RunPaths, say: Say, *, resume: bool, overwrite: bool
) -> int:
    """The whole road up to a finished model; returns the process's exit code."""
    from hf_zh_dict.training.signals import StopRequest

    stop = StopRequest(max_minutes=config.train.max_minutes)
    step = check_run_folder(config, paths, say, resume=resume, overwrite=overwrite)

    from hf_zh_dict.corpus.build import read_rows
    from hf_zh_dict.sharing.training_push import check_hub, push_best, start_pushing
    from hf_zh_dict.tokens.blocks import load_blocks
    from hf_zh_dict.tokens.tokenizer import load_tokenizer
    from hf_zh_dict.training.environment import record_environment
    from hf_zh_dict.training.judge import HeldOut
    from hf_zh_dict.training.launch import make_accelerator
    from hf_zh_dict.training.loop import Trainer, clear_training
    from hf_zh_dict.training.trial import memory_errors_as_sentences

    accelerator = make_accelerator(config, paths)
    if accelerator.is_main_process:
        if step is None:
            clear_training(paths)
        elif step < config.train.max_steps:
            paths.evaluation.unlink(missing_ok=True)  # it is of weights that change now
        save_config(config, paths.config)
        check_same_blocks(paths, step, ensure_blocks(config, paths, say))
    accelerator.wait_for_everyone()
    config = pin_corpus(config, paths)
    if accelerator.is_main_process:
        save_config(config, paths.config)
    if config.hub.push:
        check_hub(config.hub, paths)

    tokenizer = load_tokenizer(paths.tokenizer)
    rows = list(read_rows(paths.split("validation"), ["text", "headword"]))
    held_out = HeldOut(
        [row["text"] for row in rows], [make_prompt(config, row["headword"]) for row in rows]
    )
    pusher = start_pushing(config.hub, paths, say) if accelerator.is_main_process else None
    trainer = Trainer(
        config, paths, accelerator, tokenizer, load_blocks(paths.blocks), held_out, pusher
    )
    if step is not None:
        before = trainer.resume(step)
        say(_("training: goes on from step {step}").format(step=step))
        if replace(before, rank=trainer.share.rank) != trainer.share:
            say(describe_share(trainer.share))
    elif resume:
        say(_("training: nothing to resume, starts from step 0"))
    parameters = sum(parameter.numel() for parameter in trainer.model.parameters())
    say(
        _("training: {parameters:,} parameters, {processes} process(es), {device}, precision {precision}").format(
            parameters=parameters,
            processes=accelerator.num_processes,
            device=accelerator.device,
            precision=accelerator.mixed_precision,
        )
    )  # fmt: skip
    asked, compiled = trainer.share, trainer.updater.compiled
    trainer.try_out()
    if trainer.updater.compiled:
        say(_("training: compiled"))
    elif compiled:
        say(_("training: the compiler failed on this model, which is trained as it is"))
    if trainer.share != asked:
        say(
            _(
                "training: {asked} blocks at once do not fit into memory; train.per_device_batch_size "
                "is {batch_size}, train.gradient_accumulation_steps {accumulation}, the same blocks a step"
            ).format(
                asked=asked.batch_size,
                batch_size=trainer.share.batch_size,
                accumulation=trainer.share.accumulation,
            )
        )
    if accelerator.is_main_process:
        trainer.journal.write(lambda: record_environment(paths, accelerator, trainer.state.step))
    with memory_errors_as_sentences():
        outcome = trainer.fit(stop)
    if accelerator.is_main_process:
        if outcome.exit_code:
            say(
                _("training: stopped at step {step} and saved; go on with --resume").format(
                    step=outcome.step
                )
            )
        elif outcome.time_is_up:
            say(
                _(
                    "training: {minutes:g} minutes are over, stopped at step {step} and saved; "
                    "go on with --resume"
                ).format(minutes=config.train.max_minutes, step=outcome.step)
            )
        else:
            finish_training(config, paths, outcome, say)
        stopped = bool(outcome.exit_code) or outcome.time_is_up
        if pusher:
            pusher.finish(wait=not stopped)
        if config.hub.push and not stopped:
            push_best(config.hub, paths, say)
    return outcome.exit_code


def describe_share(share: "Share") -> str:
    """How a resumed run divides its steps, when it does so in another way than before."""
    return _(
        "training: a step keeps its {blocks} blocks: {processes} process(es) × {batch} blocks × "
        "{accumulation} micro-batch(es)"
    ).format(
        blocks=share.blocks_per_step, processes=share.world_size, batch=share.batch_size,
        accumulation=share.accumulation,
    )  # fmt: skip


def check_same_blocks(paths: RunPaths, step: int | None, blocks_print: str) -> None:
    """Refuse to resume on other data than the checkpoint was trained on.

    Raises:
        InputError: the blocks have another fingerprint than the checkpoint's of `step`.
    """
    from hf_zh_dict.training.checkpoint import read_state

    if step is not None and read_state(paths, step)["blocks"] != blocks_print:
        raise InputError(
            _(
                "{folder}: cannot resume, the corpus is not the one that the checkpoints were "
                "trained on; use the same files, or choose another --output-dir."
            ).format(folder=paths.root)
        )


def make_prompt(config: Config, headword: str) -> str:
    """A headword as the beginning of its document."""
    from hf_zh_dict.dictionaries.render import SEPARATOR

    return (
        headword + SEPARATOR if config.corpus.source in ("embedded", "spreadsheets") else headword
    )


def finish_training(config: Config, paths: RunPaths, outcome: "Outcome", say: Say) -> None:
    """Tell what was reached, beside the character n-grams, and show entries the model writes."""
    from hf_zh_dict.corpus.build import read_rows
    from hf_zh_dict.evaluation.baselines import measure_baselines
    from hf_zh_dict.model.sampling import Sampling
    from hf_zh_dict.sharing.curve import draw_curve
    from hf_zh_dict.sharing.run_page import write_run_page
    from hf_zh_dict.training.judge import parses

    baselines = measure_baselines(paths, "validation", say)
    first = outcome.first_bits_per_char
    if math.isnan(first):  # a resumed run did not see step 0
        from hf_zh_dict.records import read_rows as read_metrics

        first = next(
            r["validation_bits_per_char"]
            for r in read_metrics(paths.metrics)
            if "validation_loss" in r
        )
    say(
        _(
            "validation: {first:.3f} bits per character at step 0, {best:.3f} at step {step}; "
            "character bigram {bigram:.3f}, 5-gram {fivegram:.3f}"
        ).format(
            first=first, best=outcome.best_bits_per_char, step=outcome.best_step,
            bigram=baselines["character_bigram"], fivegram=baselines["character_5gram"],
        )
    )  # fmt: skip
    draw_curve(paths.metrics, paths.curve, baselines=baselines)
    headwords = [row["headword"] for row in read_rows(paths.split("validation"), ["headword"])]
    prompts = [make_prompt(config, headword) for headword in headwords[:10]]
    texts = list(generate(paths.model, prompts, Sampling(temperature=0.5)))
    good = [text for text in texts if parses(text)]
    say(
        _("{good} of {all} continuations of validation headwords parse as entries{example}").format(
            good=len(good), all=len(texts), example=(":\n  " + good[0]) if good else ""
        )
    )
    say(_("page: {page}").format(page=write_run_page(paths)))
    say(
        _("model: {model}; picture: {curve}; more: hf-zh-dict evaluate {run}, hf-zh-dict generate {run} --prompt 文").format(
            model=paths.model, curve=paths.curve, run=paths.root
        )
    )  # fmt: skip


def run_evaluation(
    config: Config,
    run: RunPaths,
    say: Say,
    *,
    model: Path | str,
    suites: Sequence[str] = (),
    corpus: Path | None = None,
    output: Path | None = None,
) -> tuple[dict[str, Any], Path]:
    """Run suites (none named: all) on a model of a run, a folder or the Hub; returns report and file.

    A run is judged by its own corpus and keeps the report, unless `corpus` or `output` say
    otherwise: any other report is `evaluation.json` in the current folder.

    Raises:
        InputError: there is no such suite, model or corpus.
    """
    from hf_zh_dict.evaluation.baselines import measure_baselines
    from hf_zh_dict.evaluation.results import run_suites
    from hf_zh_dict.evaluation.subject import Subject
    from hf_zh_dict.evaluation.suites import SUITES, load_suite
    from hf_zh_dict.model.loading import load_model_folder
    from hf_zh_dict.sharing.curve import draw_curve
    from hf_zh_dict.sharing.run_page import write_run_page
    from hf_zh_dict.training.checkpoint import list_checkpoints

    for name in suites:
        load_suite(name)
    is_run = model == run.model
    own = is_run and corpus is None
    output = output or (run.evaluation if own else Path("evaluation.json"))
    root = run.root if is_run else output.with_suffix("")
    paths = RunPaths(root, find_corpus(run.root if own else corpus))
    loaded, tokenizer = load_model_folder(model)
    subject = Subject(
        str(model), loaded, tokenizer, paths,
        folder=output.with_suffix(""),
        batch_size=config.train.per_device_eval_batch_size,
        seed=config.train.seed,
        checkpoints=tuple(list_checkpoints(run)) if is_run else (),
        say=say,
    )  # fmt: skip
    results = run_suites(subject, suites or list(SUITES), output, all_must_run=bool(suites))
    if own and run.metrics.is_file() and "bits" in results["suites"]:
        draw_curve(run.metrics, run.curve, baselines=measure_baselines(run, "validation", say))
    if output == run.evaluation:
        say(_("page: {page}").format(page=write_run_page(run)))
    return results, output


def run_comparison(
    models: Sequence[str], say: Say, *, corpus: Path | None, output: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Compare models, each a run, a run's checkpoint `RUN@STEP`, a folder or a Hub id.

    Returns the comparison and the files that hold it, `comparison.json` and `comparison.png`.

    Raises:
        InputError: a model cannot be loaded, or they do not share one corpus.
    """
    from hf_zh_dict.evaluation.comparison import compare
    from hf_zh_dict.sharing.comparison_picture import draw_comparison

    runs = [name for name in models if RunPaths(Path(split_step(name)[0])).config.is_file()]
    judged_by = find_corpus(corpus or (Path(split_step(runs[0])[0]) if runs else None))
    comparison = compare([make_contender(name, judged_by, say) for name in models])
    output.mkdir(parents=True, exist_ok=True)
    files = [output / "comparison.json", output / "comparison.png"]
    text = json.dumps(comparison, ensure_ascii=False, indent=2)
    files[0].write_text(text + "\n", encoding="utf-8")
    draw_comparison(comparison, files[1])
    return comparison, files


def split_step(name: str) -> tuple[str, int | None]:
    """`runs/student@500` → runs/student and 500; without a step there is none."""
    folder, _at, step = name.rpartition("@")
    return (folder, int(step)) if folder and step.isdecimal() else (name, None)


def make_contender(name: str, judged_by: Path, say: Say) -> "Contender":
    """A model with the corpus that it is judged by: a run's own, otherwise `judged_by`.

    Raises:
        InputError: there is no such model or checkpoint.
    """
    from hf_zh_dict.evaluation.comparison import Contender
    from hf_zh_dict.evaluation.subject import Subject
    from hf_zh_dict.model.loading import load_model_folder
    from hf_zh_dict.training.checkpoint import list_checkpoints

    folder, step = split_step(name)
    run = RunPaths(Path(folder))
    is_run = run.config.is_file()
    steps = tuple(list_checkpoints(run)) if is_run else ()
    if step is not None and step not in steps:
        raise InputError(
            _("{name}: there is no checkpoint of step {step}; there are {steps}.").format(
                name=folder, step=step, steps=", ".join(map(str, steps)) or "–"
            )
        )
    model, tokenizer = load_model_folder(run.model if is_run else folder)
    paths = RunPaths(run.root, find_corpus(run.root) if is_run else judged_by)
    subject = Subject(
        name, model, tokenizer, paths,
        folder=run.evaluation.with_suffix(""), checkpoints=steps, say=say,
    )  # fmt: skip
    if step is not None:
        subject = subject.at_checkpoint(step)
    return Contender(name, subject, run.metrics if is_run else None, step)


def find_corpus(folder: Path | None) -> Path:
    """The folder with a corpus's three splits: a run's, or the one that is named itself.

    Raises:
        InputError: there is none.
    """
    if folder is None:
        raise InputError(
            _("evaluate: name the corpus to judge this model by, with --corpus RUN_OR_FOLDER.")
        )
    for place in (RunPaths(folder).corpus, folder):
        if all((place / f"{split}.parquet").is_file() for split in SPLITS):
            return place
    raise InputError(
        _(
            "{folder}: no corpus with train, validation and test.parquet; build one with "
            "hf-zh-dict corpus."
        ).format(folder=folder)
    )


def generate(folder: Path | str, prompts: list[str], sampling: "Sampling") -> Any:
    """Each prompt's continuation by the model in a folder (or of a Hub id), one after another."""
    from hf_zh_dict.model.generate import generate_texts
    from hf_zh_dict.model.loading import load_model_folder

    model, tokenizer = load_model_folder(folder)
    return generate_texts(model, tokenizer, prompts, sampling)


def describe_shape(model: ModelConfig) -> str:
    """`288 × 6, 6 heads`: width, layers, heads (and key-value heads when they are fewer)."""
    heads = str(model.num_attention_heads)
    if model.key_value_heads != model.num_attention_heads:
        heads += f"/{model.key_value_heads}"
    return _("{width} × {layers}, {heads} heads").format(
        width=model.hidden_size, layers=model.num_hidden_layers, heads=heads
    )
