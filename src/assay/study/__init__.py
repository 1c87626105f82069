"""Which stages run in which order, on which rows, into which folder."""

from assay.study.conclude import conclude, report
from assay.study.job import commit
from assay.study.later import curate, label, serve
from assay.study.make import generate, plant
from assay.study.run import run
from assay.study.settings import Study

__all__ = ["Study", "commit", "conclude", "curate", "generate", "label", "plant", "report", "run", "serve"]
