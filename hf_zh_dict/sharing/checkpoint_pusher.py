"""Steps with a checkpoint in, their models on the Hub out, one after another, behind training's back.

Each goes to the branch `checkpoints` and is tagged with its step, so that
`from_pretrained(repo_id, revision="step-000500")` loads it. Training never waits for the Hub, and
never fails with it: what goes wrong is told, and that step is left out.
"""

import contextlib
import os
import queue
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from hf_zh_dict.files import remove
from hf_zh_dict.messages import InputError, _
from hf_zh_dict.paths import RunPaths
from hf_zh_dict.sharing.publish_model import Destination
from hf_zh_dict.sharing.repository import (
    name_commit,
    on_branch,
    open_repository,
    place,
    send_files,
)

BRANCH = "checkpoints"
WEIGHTS, AVERAGE = "model.safetensors", "ema.safetensors"


class CheckpointPusher:
    """Takes steps from the training thread and sends their models in a thread of its own."""

    def __init__(
        self, paths: RunPaths, destination: Destination, say: Callable[[str], None]
    ) -> None:
        self.paths, self.destination, self.say = paths, destination, say
        self.waiting: queue.Queue[int | None] = queue.Queue()
        self.troubles: queue.Queue[str] = queue.Queue()
        self.beside: dict[str, bytes] = {}  # the small files that weights load with
        remove(paths.outbox)  # what an earlier start left
        # a daemon: a training that is told to stop does not wait for the Hub
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def __call__(self, step: int) -> None:
        """Put a checkpoint's weights aside, as rotation may remove it, and let them be sent."""
        self.tell()
        checkpoint = self.paths.checkpoint(step)
        average = checkpoint / AVERAGE
        try:
            self.put_aside(average if average.is_file() else checkpoint / WEIGHTS, step)
            # read here, where nothing replaces them meanwhile; they stay the same
            self.beside = self.beside or {
                file.name: file.read_bytes()
                for file in self.paths.model.iterdir()
                if file.name != WEIGHTS
            }
        except OSError as error:
            self.say(
                _("hub: step {step} is not sent: {reason}").format(
                    step=step, reason=error.strerror or error
                )
            )
            return
        self.waiting.put(step)

    def put_aside(self, weights: Path, step: int) -> None:
        """A hard link where the disk knows them, else a copy."""
        kept = self.kept(step)
        kept.parent.mkdir(parents=True, exist_ok=True)
        remove(kept)
        try:
            os.link(weights, kept)
        except OSError:
            shutil.copyfile(weights, kept)

    def kept(self, step: int) -> Path:
        return self.paths.outbox / f"step-{step:06d}.safetensors"

    def tell(self) -> None:
        """Say, from the training thread, what went wrong in the other."""
        while not self.troubles.empty():
            self.say(self.troubles.get())

    def work(self) -> None:
        while (step := self.waiting.get()) is not None:
            try:
                self.push(step)
            except (InputError, OSError) as error:
                self.troubles.put(
                    _("hub: step {step} is not sent: {reason}").format(step=step, reason=error)
                )
            finally:
                with contextlib.suppress(OSError):
                    remove(self.kept(step))
                self.waiting.task_done()

    def push(self, step: int) -> None:
        """One commit on the branch, and its tag."""
        to = self.destination
        repository = on_branch(open_repository(to.repo_id, "model", public=to.public), BRANCH)
        commit = send_files(
            repository,
            self.files(step),
            message=f"step {step}",
            branch=BRANCH,
        )
        tag = f"step-{step:06d}"
        name_commit(repository, f"{to.subfolder}-{tag}" if to.subfolder else tag, commit, move=True)

    def files(self, step: int) -> dict[str, Path | bytes]:
        """The weights, and what they load with."""
        files: dict[str, Path | bytes] = {**self.beside, WEIGHTS: self.kept(step)}
        return {place(self.destination.subfolder, name): content for name, content in files.items()}

    def finish(self, *, wait: bool) -> None:
        """Let what waits be sent, or give it up; then tell what went wrong."""
        if wait:
            left = self.waiting.unfinished_tasks
            if left:
                self.say(_("hub: {count} checkpoint(s) are still to be sent").format(count=left))
            self.waiting.put(None)
            self.thread.join()
        self.tell()
        remove(self.paths.outbox)
