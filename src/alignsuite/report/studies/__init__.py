"""Published studies beside a run: the figures are data with their source, the comparison says where the two can't be compared."""

from alignsuite.report.studies.beside import Beside, Table, beside
from alignsuite.report.studies.published import Figure, Study, published
from alignsuite.report.studies.text import as_json, as_markdown, as_text

__all__ = ["Beside", "Figure", "Study", "Table", "as_json", "as_markdown", "as_text", "beside", "published"]
