"""A `Config` and a run folder in, a trained model, or a plan of its training, out."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from hf_zh_dict.config import Config
from hf_zh_dict.messages import InputError, Say, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.pipeline.building import ensure_blocks, pin_corpus
from hf_zh_dict.settings import save_config
from hf_zh_dict.stages import is_current

if TYPE_CHECKING:
    from hf_zh_dict.training.loop import Outcome
    from hf_zh_dict.training.plan import Plan
    from hf_zh_dict.training.share import Share


def run_training(
    config: Config, paths: RunPaths, say: Say, *, resume: bool, overwrite: bool
) -> int:
    """The whole road up to a finished model; returns the process's exit code."""
    from hf_zh_dict.training.signals import StopRequest

    stop = StopRequest(max_minutes=config.train.max_minutes)
    step = check_run_folder(config, paths, say, resume=resume, overwrite=overwrite)

    from hf_zh_dict.corpus.build import read_rows
    from hf_zh_dict.corpus.prompts import make_prompt
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
        [row["text"] for row in rows], [make_prompt(config.corpus, row["headword"]) for row in rows]
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


def describe_share(share: "Share") -> str:
    """How a resumed run divides its steps, when it does so in another way than before."""
    return _(
        "training: a step keeps its {blocks} blocks: {processes} process(es) × {batch} blocks × "
        "{accumulation} micro-batch(es)"
    ).format(
        blocks=share.blocks_per_step, processes=share.world_size, batch=share.batch_size,
        accumulation=share.accumulation,
    )  # fmt: skip


def finish_training(config: Config, paths: RunPaths, outcome: "Outcome", say: Say) -> None:
    """Tell what was reached, beside the character n-grams, and show entries the model writes."""
    from hf_zh_dict.corpus.build import read_rows
    from hf_zh_dict.corpus.prompts import make_prompt
    from hf_zh_dict.evaluation.baselines import measure_baselines
    from hf_zh_dict.model.generate import generate_texts
    from hf_zh_dict.model.loading import load_model_folder
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
    prompts = [make_prompt(config.corpus, headword) for headword in headwords[:10]]
    model, tokenizer = load_model_folder(paths.model)
    texts = list(generate_texts(model, tokenizer, prompts, Sampling(temperature=0.5)))
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
