"""The learner a trial trains, by its name."""

from __future__ import annotations

from assay.core.errors import InputError
from assay.models.learner import Learner
from assay.trial.tasks import LEARNERS, Task


def open_learner(
    name: str | Learner | None, task: Task, *, base: str | None = None, depth: int | None = None
) -> Learner:
    """The learner called so, or the cheapest one for the task.

    Args:
        base: Model that `finetune` starts from; None is the packaged one.
        depth: Layers of `gpt`; None is its own choice.
    Raises: InputError: the learner does not serve the task, or a setting is another learner's.
    """
    if name is not None and not isinstance(name, str):
        return name
    chosen = name or LEARNERS[task][0]
    if chosen not in LEARNERS[task]:
        raise InputError(
            f"the learner {chosen} does not serve the task {task}",
            fix=f"Use --learner {' or '.join(LEARNERS[task])}, or another --task.",
        )
    if base is not None and chosen != "finetune":
        raise InputError(f"--base would do nothing with the learner {chosen}", fix="Use --learner finetune.")
    if depth is not None and chosen != "gpt":
        raise InputError(f"--depth would do nothing with the learner {chosen}", fix="Use --learner gpt.")
    if chosen == "linear":
        from assay.models.classifier import Linear

        return Linear()
    if chosen == "ngram":
        from assay.models.ngram import NGram

        return NGram()
    if chosen == "gpt":
        from assay.models.gpt import GPT

        return GPT() if depth is None else GPT(depth=depth)
    from assay.models.finetune import Finetune

    return Finetune() if base is None else Finetune(base=base)
